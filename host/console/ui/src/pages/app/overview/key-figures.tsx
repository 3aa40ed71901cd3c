import { Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { useUsage } from '../../../api/apps';
import { lately, type Sample, WINDOW_MS } from '../../../api/samples';
import type { AppAnswer } from '../../../api/schema';
import { useFormats } from '../../../format';
import { Figure, Figures } from '../figures';

/** CPU is shown of the last seconds, so that it follows what happens. */
const CPU_WINDOW_MS = 10_000;
const MINUTE_MS = 60_000;

/** How much the app does and uses at this moment. */
export function KeyFigures({ app, samples }: { app: AppAnswer; samples: Sample[] | undefined }) {
  const { t } = useTranslation('app');
  const { bytes, cores, duration, number } = useFormats();
  const rates = useRates(app.id, samples ?? []);
  const stats = samples?.at(-1)?.stats;
  if (!stats) return <Skeleton active title={false} paragraph={{ rows: 3 }} />;
  const { memory_bytes: budget, cpu_cores: cap, concurrency, queue } = app.limits;
  const used = lately(samples ?? [], CPU_WINDOW_MS).cores;
  return (
    <Figures label={t('figure.now')}>
      <Figure name={t('figure.requests')} value={number(rates.requests, 0)} of={t('figure.in_last_minute')} />
      <Figure name={t('figure.errors')} value={number(rates.errors, 0)} of={t('figure.in_last_minute')} bad={rates.errors > 0} />
      <Figure
        name={t('figure.cpu')}
        value={cores(used)}
        of={cap == null ? t('figure.no_cap') : t('figure.of_cores', { count: cap, limit: cores(cap) })}
        share={cap == null ? undefined : used / cap}
      />
      <Figure
        name={t('figure.memory')}
        value={bytes(stats.memory_bytes)}
        of={budget && t('figure.of', { limit: bytes(budget) })}
        share={budget && stats.memory_bytes / budget}
      />
      <Figure name={t('figure.in_flight')} value={number(stats.in_flight)} of={concurrency && t('figure.at_once', { limit: number(concurrency) })} />
      <Figure
        name={t('figure.queued')}
        value={number(stats.queued)}
        of={queue === undefined ? undefined : t('figure.at_most', { limit: number(queue) })}
        bad={stats.queued > 0}
      />
      <Figure name={t('figure.instances')} value={number(stats.instances)} of={t('figure.made', { count: stats.instantiations, made: number(stats.instantiations) })} />
      {stats.latency !== undefined && (
        <Figure
          name={t('figure.p95')}
          value={stats.latency ? duration(stats.latency.p95_ms) : '–'}
          of={stats.latency ? t('figure.p50', { time: duration(stats.latency.p50_ms) }) : t('figure.no_requests')}
        />
      )}
    </Figures>
  );
}

/** Requests and errors of the last minute: as the host counts them, or by this page's own readings. */
function useRates(id: string, samples: Sample[]): { requests: number; errors: number } {
  const usage = useUsage();
  const recent = lately(samples);
  const whole = recent.ms >= WINDOW_MS - 5_000;
  const counted = usage.data?.get(id);
  if (usage.data && !whole) return { requests: counted?.requests_per_minute ?? 0, errors: counted?.errors_per_minute ?? 0 };
  const scale = whole ? MINUTE_MS / recent.ms : 1;
  return { requests: recent.requests * scale, errors: (recent.failures + recent.serverErrors) * scale };
}
