// The charts of an app's history: what each shows, how it is said in a sentence, and in a table.
import { Button, Skeleton } from 'antd';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Range, useHistory } from '../../../api/stats';
import type { AppAnswer, StatsHistory } from '../../../api/schema';
import { Teach } from '../../../components/empty';
import { ProblemAlert } from '../../../components/problem';
import { useFormats } from '../../../format';
import { useAxisTimes } from './axis';
import { ChartCard } from './chart-card';
import type { Column } from './columns';
import { failuresOf, fill, happened, highest, OUTCOMES, type Point, requestsOf, sum } from './history';

export function Charts({ app, range }: { app: AppAnswer; range: Range }) {
  const { t } = useTranslation('app');
  const history = useHistory(app.id, range);
  if (history.isPending) return <Skeleton active paragraph={{ rows: 10 }} />;
  if (!history.data) return <ProblemAlert error={history.error} onRetry={() => void history.refetch()} />;
  if (history.data.points.length === 0) return <NothingYet app={app} title={t(`history.empty_${range}`)} />;
  return <AllCharts app={app} history={history.data} />;
}

function NothingYet({ app, title }: { app: AppAnswer; title: string }) {
  const { t } = useTranslation('app');
  const [url] = app.urls;
  const visit = url && (
    <Button href={url} target="_blank" rel="noreferrer">
      {t('common:action.visit')}
    </Button>
  );
  return (
    <Teach title={title} action={visit}>
      {url ? t('history.empty_why', { url }) : t('history.empty_no_url')}
    </Teach>
  );
}

function AllCharts({ app, history }: { app: AppAnswer; history: StatsHistory }) {
  const points = useMemo(() => fill(history), [history]);
  const props = { points, range: history.range, app };
  return (
    <div className="charts">
      <Requests {...props} />
      <Latencies {...props} />
      <Cpu {...props} />
      <Memory {...props} />
      <Queue {...props} />
    </div>
  );
}

interface Props {
  points: Point[];
  range: Range;
  app: AppAnswer;
}

function Requests({ points, range }: Props) {
  const { t } = useTranslation('app');
  const { number, percent } = useFormats();
  const [all, failed] = [sum(points, requestsOf), sum(points, failuresOf)];
  const summary = t(`chart.requests_${range}`, { count: all, number: number(all), failed: number(failed), share: percent(all > 0 ? failed / all : 0) });
  const columns: Column[] = OUTCOMES.map((key) => ({ key, name: t(`outcome.${key}`), fill: key, format: (value) => number(value, 0) }));
  const shown = columns.filter(({ key }) => key === 'answered' || points.some((point) => (point[key] ?? 0) !== 0));
  return <ChartCard name="requests" kind="bars" {...{ points, range, summary }} columns={shown} happened={(point) => requestsOf(point) > 0} />;
}

function Latencies({ points, range }: Props) {
  const { t } = useTranslation('app');
  const { duration } = useFormats();
  const { full } = useAxisTimes(range);
  const worst = highest(points, (point) => point.p95);
  const summary = worst ? t('chart.latency_summary', { time: duration(worst.value), at: full(worst.time) }) : t('chart.latency_none');
  const columns: Column[] = (['p50', 'p95', 'p99'] as const).map((key) => ({ key, name: t(`chart.${key}`), line: key, format: duration }));
  return <ChartCard name="latency" kind="lines" {...{ points, range, summary, columns }} happened={(point) => point.latency != null} />;
}

function Cpu({ points, range, app }: Props) {
  const { t } = useTranslation('app');
  const { cores } = useFormats();
  const { full } = useAxisTimes(range);
  const cap = app.limits.cpu_cores;
  const most = highest(points, (point) => point.cores);
  const waited = highest(points, (point) => point.throttled_cores);
  const summary = [
    most ? t('chart.cpu_summary', { count: most.value, cores: cores(most.value), at: full(most.time) }) : t('chart.cpu_none'),
    waited && waited.value >= 0.01 ? t('chart.cpu_waited', { cores: cores(waited.value), at: full(waited.time) }) : '',
  ].filter(Boolean);
  const columns: Column[] = [
    { key: 'cores', name: t('chart.cpu_used'), line: 'cores', format: cores },
    { key: 'throttled_cores', name: t('chart.cpu_throttled'), line: 'throttled', format: cores },
  ];
  const limit = cap == null ? undefined : { value: cap, name: t('chart.cpu_cap', { limit: cores(cap) }) };
  return (
    <ChartCard name="cpu" kind="lines" {...{ points, range, columns, limit }} summary={summary.join(' ')} happened={(point) => point.cpu_ms + point.throttled_ms > 0} />
  );
}

function Memory({ points, range, app }: Props) {
  const { t } = useTranslation('app');
  const { bytes, percent } = useFormats();
  const { full } = useAxisTimes(range);
  const budget = app.limits.memory_bytes;
  const most = highest(points, (point) => point.memory_bytes);
  const summary = most
    ? t('chart.memory_summary', { size: bytes(most.value), share: percent(budget ? most.value / budget : 0), at: full(most.time) })
    : t('chart.memory_none');
  const columns: Column[] = [{ key: 'memory_bytes', name: t('chart.memory_used'), line: 'memory', format: bytes }];
  const limit = budget ? { value: budget, name: t('chart.memory_budget', { limit: bytes(budget) }) } : undefined;
  return <ChartCard name="memory" kind="lines" {...{ points, range, summary, columns, limit }} bytes happened={(point) => point.memory_bytes > 0} />;
}

function Queue({ points, range }: Props) {
  const { t } = useTranslation('app');
  const { number } = useFormats();
  const [served, waiting] = [highest(points, (point) => point.in_flight), highest(points, (point) => point.queued)];
  const summary = t('chart.queue_summary', { served: number(served?.value ?? 0), waiting: number(waiting?.value ?? 0) });
  const columns: Column[] = (['in_flight', 'queued'] as const).map((key) => ({ key, name: t(`chart.${key}`), line: key, format: (value) => number(value, 0) }));
  return <ChartCard name="queue" kind="lines" {...{ points, range, summary, columns }} happened={(point) => happened(point) && point.in_flight + point.queued > 0} />;
}
