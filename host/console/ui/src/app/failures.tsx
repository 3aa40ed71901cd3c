// What is shown instead of a page.
import { CompassOutlined } from '@ant-design/icons';
import { Button, Result } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useRouteError } from 'react-router';
import { CodeBlock } from '../components/code-block';

export function NotFound() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  useTitle(t('problem.not_found'));
  return (
    <Result
      icon={<CompassOutlined />}
      title={<h1>{t('problem.not_found')}</h1>}
      subTitle={t('problem.not_found_why')}
      extra={
        <Button type="primary" onClick={() => void navigate('/apps')}>
          {t('nav.apps')}
        </Button>
      }
    />
  );
}

export function Crashed() {
  const { t } = useTranslation();
  const error = useRouteError();
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  useTitle(t('problem.crashed'));
  return (
    <Result
      status="error"
      title={<h1>{t('problem.crashed')}</h1>}
      subTitle={t('problem.crashed_why')}
      extra={
        <Button type="primary" onClick={() => location.reload()}>
          {t('action.retry')}
        </Button>
      }
    >
      <div className="crash-text">
        <CodeBlock code={`${text}\n${location.pathname}`} label={t('problem.crashed')} />
      </div>
    </Result>
  );
}

function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · Lodge`;
  }, [title]);
}
