import { Card, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { useAbout } from '../../api/about';
import { Facts } from '../../components/facts';
import { PageHeader } from '../../components/page-header';
import { ProblemAlert } from '../../components/problem';
import './about.css';
import { CopyReport } from './copy-report';
import { useFacts } from './facts';
import { Health } from './health';

export function AboutPage() {
  const { t } = useTranslation('about');
  const about = useAbout();
  const { data } = about;
  return (
    <>
      <PageHeader title={t('title')} about={t('about')} actions={data && <CopyReport about={data} />} />
      {about.isError && <ProblemAlert error={about.error} onRetry={() => void about.refetch()} />}
      <div className="about">
        {(data || about.isPending) && (
          <Card title={<h2>{t('host')}</h2>}>{data ? <HostFacts about={data} /> : <Skeleton active paragraph={{ rows: 8 }} />}</Card>
        )}
        <div className="about-side">
          {data && (
            <Card title={<h2>{t('health')}</h2>}>
              <Health checks={data.checks} />
            </Card>
          )}
          <Card title={<h2>{t('more')}</h2>}>
            <More />
          </Card>
        </div>
      </div>
    </>
  );
}

function HostFacts({ about }: { about: Parameters<typeof useFacts>[0] }) {
  return <Facts facts={useFacts(about)} />;
}

function More() {
  const { t } = useTranslation('about');
  const keys = navigator.platform.startsWith('Mac') ? '⌘ K' : 'Ctrl K';
  return (
    <ul className="about-links">
      <li>
        <a href="/api/openapi.json" target="_blank" rel="noreferrer">
          {t('openapi')}
        </a>
        <p className="soft">{t('openapi_why')}</p>
      </li>
      <li>
        <a href="/metrics" target="_blank" rel="noreferrer">
          {t('metrics')}
        </a>
        <p className="soft">{t('metrics_why')}</p>
      </li>
      <li>
        <span>{t('shortcuts')}</span>
        <p className="soft">{t('shortcuts_why', { keys: keys })}</p>
      </li>
    </ul>
  );
}
