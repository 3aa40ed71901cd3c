import { Typography } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Door } from './door';
import { SignInForm } from './sign-in-form';

export function SignIn() {
  const { t } = useTranslation('auth');
  useEffect(() => {
    document.title = `${t('sign_in')} · Lodge`;
  }, [t]);
  return (
    <Door title={t('title')}>
      <SignInForm />
      <Typography.Paragraph type="secondary" className="door-hint">
        {t('first_hint')}
      </Typography.Paragraph>
    </Door>
  );
}
