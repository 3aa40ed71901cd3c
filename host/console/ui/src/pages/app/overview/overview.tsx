import { Segmented, Skeleton } from 'antd';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { useStats } from '../../../api/stats';
import type { Range } from '../../../api/stats';
import type { AppAnswer } from '../../../api/schema';
import { ProblemAlert } from '../../../components/problem';
import { KeyFigures } from './key-figures';
import { Now } from './now';
import { Reasons } from './reasons-table';

// The drawing library is large: the figures do not wait for it.
const Charts = lazy(async () => ({ default: (await import('./charts')).Charts }));

const RANGES: readonly Range[] = ['hour', 'day', 'week'];

/** How the app does: now, and lately. */
export function Overview({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('app');
  const stats = useStats(app.id);
  const [range, setRange] = useRange();
  const now = stats.data?.at(-1)?.stats;
  return (
    <div className="app-parts">
      {stats.isError && <ProblemAlert error={stats.error} />}
      <KeyFigures app={app} samples={stats.data} />
      <div className="now-and-reasons">
        <Now app={app} samples={stats.data ?? []} />
        {now && <Reasons app={app} stats={now} />}
      </div>
      <section aria-labelledby="history">
        <div className="section-head">
          <h2 id="history">{t('history.title')}</h2>
          <Segmented
            aria-label={t('history.range')}
            value={range}
            onChange={setRange}
            options={RANGES.map((value) => ({ value, label: t(`history.${value}`) }))}
          />
        </div>
        <Suspense fallback={<Skeleton active paragraph={{ rows: 10 }} />}>
          <Charts app={app} range={range} />
        </Suspense>
      </section>
    </div>
  );
}

/** The time that charts show stands in the address, so that it can be shared. */
function useRange(): [Range, (next: Range) => void] {
  const [params, setParams] = useSearchParams();
  const wished = params.get('range') as Range;
  const set = (next: Range) =>
    setParams(
      (before) => {
        before.set('range', next);
        return before;
      },
      { replace: true },
    );
  return [RANGES.includes(wished) ? wished : 'hour', set];
}
