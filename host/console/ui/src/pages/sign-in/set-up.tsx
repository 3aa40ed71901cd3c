import { Button, Typography } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { signOut } from '../../api/auth';
import { Door } from './door';
import { PasswordForm } from './password-form';

/** The first sign-in, with the password that the host generated. */
export function SetUp() {
  const { t } = useTranslation('auth');
  useEffect(() => {
    document.title = `${t('set_up_title')} · Lodge`;
  }, [t]);
  return (
    <Door title={t('set_up_title')}>
      <Typography.Paragraph type="secondary">{t('set_up_why')}</Typography.Paragraph>
      <PasswordForm onDone={() => undefined} />
      <Button type="link" block className="door-out" onClick={() => void signOut()}>
        {t('common:header.sign_out')}
      </Button>
    </Door>
  );
}
