// What is shown instead of a page.
import { CompassOutlined, WarningOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useRouteError } from 'react-router';
import { CodeBlock } from '../components/code-block';

export function NotFound() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <Instead icon={<CompassOutlined />} title={t('problem.not_found')} why={t('problem.not_found_why')}>
      <Button type="primary" onClick={() => void navigate('/apps')}>
        {t('nav.apps')}
      </Button>
    </Instead>
  );
}

export function Crashed() {
  const { t } = useTranslation();
  const error = useRouteError();
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return (
    <Instead icon={<WarningOutlined />} title={t('problem.crashed')} why={t('problem.crashed_why')}>
      <Button type="primary" onClick={() => location.reload()}>
        {t('action.retry')}
      </Button>
      <div className="crash-text">
        <CodeBlock code={`${text}\n${location.pathname}`} label={t('problem.crashed')} />
      </div>
    </Instead>
  );
}

function Instead({ icon, title, why, children }: { icon: ReactNode; title: string; why: string; children: ReactNode }) {
  useTitle(title);
  return (
    <div className="instead">
      <span className="instead-icon" aria-hidden>
        {icon}
      </span>
      <h1>{title}</h1>
      <p>{why}</p>
      {children}
    </div>
  );
}

function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · Lodge`;
  }, [title]);
}
