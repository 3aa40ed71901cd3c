import { useTranslation } from 'react-i18next';
import type { DatabaseReport, SlowStatement } from '../../api/schema';
import { Teach } from '../../components/empty';
import { Time } from '../../components/time';
import { useFormats } from '../../format';

/** Statements that took long, the most costly first. On narrow screens each is a card. */
export function SlowStatements({ report }: { report: DatabaseReport }) {
  const { t } = useTranslation('app');
  const { duration } = useFormats();
  const limit = duration(report.slow_threshold_ms);
  if (report.slow.length === 0) return <Teach title={t('database.slow_none')}>{t('database.slow_none_why', { limit })}</Teach>;
  return (
    <>
      <p className="soft slow-why">{t('database.slow_why', { limit })}</p>
      <table className="plain stacked">
        <thead>
          <tr>
            {(['sql', 'count', 'total', 'max', 'last'] as const).map((column) => (
              <th key={column} scope="col">
                {t(`database.column_${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {report.slow.map((statement) => (
            <Row key={statement.sql} statement={statement} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function Row({ statement }: { statement: SlowStatement }) {
  const { t } = useTranslation('app');
  const { duration, number } = useFormats();
  return (
    <tr>
      <td data-column={t('database.column_sql')}>
        <code className="sql" dir="ltr">
          {statement.sql}
        </code>
        {statement.last_error && <div className="statement-error">{t('database.last_error', { error: statement.last_error })}</div>}
      </td>
      <td className="one-line" data-column={t('database.column_count')}>{number(statement.count)}</td>
      <td className="one-line" data-column={t('database.column_total')}>{duration(statement.total_ms)}</td>
      <td className="one-line" data-column={t('database.column_max')}>{duration(statement.max_ms)}</td>
      <td className="one-line" data-column={t('database.column_last')}>
        <Time ms={statement.last_at} />
      </td>
    </tr>
  );
}
