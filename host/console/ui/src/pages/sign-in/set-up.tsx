import { Button, Card, Typography } from 'antd';
import { useTranslation } from 'react-i18next';
import { signOut } from '../../api/auth';
import logo from '../../lodge.svg';
import { PasswordForm } from './password-form';

/** The first sign-in, with the password that the host generated. */
export function SetUp() {
  const { t } = useTranslation('auth');
  return (
    <main className="door">
      <Card className="door-card">
        <img src={logo} alt="" width={44} height={44} />
        <Typography.Title level={1}>{t('set_up_title')}</Typography.Title>
        <Typography.Paragraph type="secondary">{t('set_up_why')}</Typography.Paragraph>
        <PasswordForm onDone={() => undefined} />
        <Button type="link" block onClick={() => void signOut()}>
          {t('common:header.sign_out')}
        </Button>
      </Card>
    </main>
  );
}
