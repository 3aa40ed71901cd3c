// An app's page: who it is, how it does and what can be done about it, a tab for each side of it.
import { Button, Result, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { useApp } from '../../api/apps';
import { toProblem } from '../../api/problem';
import type { AppAnswer } from '../../api/schema';
import { NotFound } from '../../app/failures';
import { ProblemAlert } from '../../components/problem';
import './app.css';
import { AppHead } from './head';
import { AppTabs, isTab } from './tabs';
import { Trouble } from './trouble';

export function AppPage() {
  const { id = '', tab = 'overview' } = useParams();
  if (!isTab(tab)) return <NotFound />;
  // Another app is another page: nothing typed, paused or opened on one stays for the next.
  return <OneApp key={id} id={id} tab={tab} />;
}

function OneApp({ id, tab }: { id: string; tab: string }) {
  const app = useApp(id);
  const gone = app.isError && [400, 404, 422].includes(toProblem(app.error).status);
  if (gone) return app.data ? <Removed app={app.data} /> : <NotFound />;
  if (!app.data) {
    return app.isError ? <ProblemAlert error={app.error} onRetry={() => void app.refetch()} /> : <Skeleton active avatar paragraph={{ rows: 8 }} />;
  }
  return (
    <>
      <AppHead app={app.data} />
      {app.isError && <ProblemAlert error={app.error} onRetry={() => void app.refetch()} />}
      <Trouble app={app.data} />
      <AppTabs app={app.data} tab={tab} />
    </>
  );
}

/** Somebody deleted the app while it was open here. */
function Removed({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('app');
  return (
    <Result
      status="info"
      title={<h1>{t('removed', { name: app.display_name })}</h1>}
      subTitle={t('removed_why')}
      extra={
        <Link to="/apps">
          <Button type="primary" tabIndex={-1}>
            {t('common:nav.apps')}
          </Button>
        </Link>
      }
    />
  );
}
