// What is shown instead of a page.
import { Button, Result, Typography } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useRouteError } from 'react-router';

export function NotFound() {
  const { t } = useTranslation();
  return (
    <Result
      status="404"
      title={<h1>{t('problem.not_found')}</h1>}
      subTitle={t('problem.not_found_why')}
      extra={
        <Link to="/apps">
          <Button type="primary" tabIndex={-1}>{t('nav.apps')}</Button>
        </Link>
      }
    />
  );
}

export function Crashed() {
  const { t } = useTranslation();
  const error = useRouteError();
  return (
    <Result
      status="error"
      title={<h1>{t('problem.crashed')}</h1>}
      subTitle={t('problem.crashed_why')}
      extra={<Button onClick={() => location.reload()}>{t('action.retry')}</Button>}
    >
      <Typography.Paragraph copyable code>
        {error instanceof Error ? `${error.name}: ${error.message}` : String(error)}
      </Typography.Paragraph>
    </Result>
  );
}
