import { Alert, Skeleton } from 'antd';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { AppAnswer } from '../../../api/schema';
import { Teach } from '../../../components/empty';
import { ProblemAlert } from '../../../components/problem';
import { useFormats } from '../../../format';
import { LogBar } from './bar';
import { LogLines } from './lines';
import './logs.css';
import { useView } from './use-filter';
import { useLog } from './use-log';

/** The app's log, as it is written. */
export function LogsPart({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('app');
  const { number } = useFormats();
  const [view, change] = useView();
  const { tail, dispatch, link, error } = useLog(app.id, view);
  const showRequest = useCallback((request: string) => change({ request }), [change]);
  const filtered = !!(view.level ?? view.source ?? view.search ?? view.request);
  return (
    <section className="log-part" aria-label={t('tab.logs')}>
      <LogBar app={app} view={view} change={change} tail={tail} dispatch={dispatch} link={link} />
      {error !== undefined && <ProblemAlert error={error} />}
      {tail.dropped > 0 && (
        <Alert type="warning" showIcon className="problem" title={t('logs.dropped', { count: tail.dropped, number: number(tail.dropped) })} />
      )}
      {!tail.rows && error === undefined && <Skeleton active title={false} paragraph={{ rows: 10 }} />}
      {tail.rows?.length === 0 && <Nothing app={app} filtered={filtered} />}
      {tail.rows && tail.rows.length > 0 && (
        <LogLines rows={tail.rows} held={tail.held.length} search={view.search ?? ''} wrap={view.wrap} onRequest={showRequest} />
      )}
    </section>
  );
}

function Nothing({ app, filtered }: { app: AppAnswer; filtered: boolean }) {
  const { t } = useTranslation('app');
  if (filtered) return <Teach title={t('logs.nothing_found')}>{t('logs.nothing_found_why')}</Teach>;
  const [url] = app.urls;
  const visit = url && (
    <a href={url} target="_blank" rel="noreferrer">
      {t('now.visit')}
    </a>
  );
  return (
    <Teach title={t('logs.empty')} action={visit}>
      {t('logs.empty_why')}
    </Teach>
  );
}
