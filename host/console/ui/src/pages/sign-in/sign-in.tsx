import { Card, Typography } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import logo from '../../lodge.svg';
import { SignInForm } from './sign-in-form';

export function SignIn() {
  const { t } = useTranslation('auth');
  useEffect(() => {
    document.title = `${t('sign_in')} · Lodge`;
  }, [t]);
  return (
    <main className="door">
      <Card className="door-card">
        <img src={logo} alt="" width={44} height={44} />
        <Typography.Title level={1}>{t('title')}</Typography.Title>
        <SignInForm />
        <Typography.Paragraph type="secondary" className="door-hint">
          {t('first_hint')}
        </Typography.Paragraph>
      </Card>
    </main>
  );
}
