import { Button, Modal, Typography } from 'antd';
import { useTranslation } from 'react-i18next';
import { signOut } from '../../api/auth';
import { SignInForm } from './sign-in-form';

/** Over a page whose session has ended: what was typed there stays, what was asked for waits. */
export function SignInAgain({ email }: { email: string }) {
  const { t } = useTranslation('auth');
  return (
    <Modal open title={t('expired_title')} closable={false} keyboard={false} footer={null} width={400} zIndex={3000}>
      <Typography.Paragraph type="secondary">{t('expired_why')}</Typography.Paragraph>
      <SignInForm email={email || undefined} />
      <Button type="link" block onClick={() => void signOut()}>
        {t('common:header.sign_out')}
      </Button>
    </Modal>
  );
}
