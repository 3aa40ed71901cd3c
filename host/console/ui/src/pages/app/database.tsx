import { Alert, Button, Card, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useDatabaseReport } from '../../api/app-records';
import type { AppAnswer, DatabaseReport } from '../../api/schema';
import { Teach } from '../../components/empty';
import { ProblemAlert } from '../../components/problem';
import { useFormats } from '../../format';
import { Figure, Figures } from './figures';
import { SlowStatements } from './slow-statements';

/** The app's database: what it is, how full, how busy, and what is slow in it. */
export function DatabasePart({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('app');
  const none = app.database.kind === 'none';
  const report = useDatabaseReport(app.id, !none);
  if (none) {
    return (
      <Teach
        title={t('database.none')}
        action={
          <Link to={`/apps/${app.id}/settings`}>
            <Button tabIndex={-1}>{t('database.choose')}</Button>
          </Link>
        }
      >
        {t('database.none_why')}
      </Teach>
    );
  }
  if (report.isPending) return <Skeleton active paragraph={{ rows: 6 }} />;
  return (
    <div className="app-parts">
      {report.isError && <ProblemAlert error={report.error} onRetry={() => void report.refetch()} />}
      {report.data ? <Report report={report.data} app={app} /> : <Kind kind={app.database.kind} engine={app.database.engine ?? null} />}
    </div>
  );
}

function Kind({ kind, engine }: Pick<DatabaseReport, 'kind' | 'engine'>) {
  const { t } = useTranslation('app');
  return (
    <p className="database-kind">
      <strong>{t(`database.engine_${engine ?? 'unknown'}`)}</strong> <span className="soft">{t(`database.kind_${kind}`)}</span>
    </p>
  );
}

function Report({ report, app }: { report: DatabaseReport; app: AppAnswer }) {
  const { t } = useTranslation('app');
  const { number, percent } = useFormats();
  const failedShare = report.statements > 0 ? report.failed_statements / report.statements : 0;
  return (
    <>
      <Kind kind={report.kind} engine={report.engine} />
      {report.problem && <Alert type="warning" showIcon title={t('database.problem')} description={report.problem} />}
      <Figures label={t('tab.database')} few>
        <Size report={report} budget={app.limits.storage_bytes} />
        <Figure
          name={t('database.connections')}
          value={number(report.connections_open)}
          of={t('database.connections_of', { limit: number(report.connections_limit) })}
          share={report.connections_limit > 0 ? report.connections_open / report.connections_limit : undefined}
        />
        <Figure name={t('database.waiting')} value={number(report.connections_waiting)} of={t('database.waiting_why')} bad={report.connections_waiting > 0} />
        <Figure name={t('database.statements')} value={number(report.statements)} of={t('database.since_start')} />
        <Figure
          name={t('database.failed')}
          value={number(report.failed_statements)}
          of={t('database.failed_share', { share: percent(failedShare, 2) })}
          bad={report.failed_statements > 0}
        />
      </Figures>
      <Card title={<h2>{t('database.slow')}</h2>}>
        <SlowStatements report={report} />
      </Card>
    </>
  );
}

/** Its size; where Lodge keeps the file, against what it may be. */
function Size({ report, budget }: { report: DatabaseReport; budget: number | undefined }) {
  const { t } = useTranslation('app');
  const { bytes } = useFormats();
  if (report.size_bytes == null) return <Figure name={t('database.size')} value="–" of={t('database.size_unknown')} />;
  if (report.engine !== 'sqlite' || !budget) return <Figure name={t('database.size')} value={bytes(report.size_bytes)} />;
  return (
    <Figure name={t('database.size')} value={bytes(report.size_bytes)} of={t('figure.of', { limit: bytes(budget) })} share={report.size_bytes / budget} />
  );
}

