import { BarChartOutlined, TableOutlined } from '@ant-design/icons';
import { Button, Card } from 'antd';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { useAxisTimes } from './axis';
import './charts.css';
import type { Point } from './history';
import { Legend } from './legend';
import { Plot, type PlotProps } from './plot';

interface Props extends Omit<PlotProps, 'label'> {
  /** Its title's key under `app:chart`, and its name in the address. */
  name: string;
  /** What is to be seen in it, in a sentence. */
  summary: string;
  /** Whether a step has something for the table. */
  happened: (point: Point) => boolean;
}

/** One chart: its title, what it says in a sentence, and the drawing or the same as a table. */
export function ChartCard({ name, summary, happened, ...plot }: Props) {
  const { t } = useTranslation('app');
  const [asTable, toggle] = useAsTable(name);
  const title = t(`chart.${name}`);
  return (
    <Card className={`chart ${name}`}>
      <div className="chart-head">
        <h3>{title}</h3>
        <Button
          type="text"
          size="small"
          icon={asTable ? <BarChartOutlined /> : <TableOutlined />}
          onClick={toggle}
          aria-label={t(asTable ? 'chart.as_chart' : 'chart.as_table', { name: title })}
        >
          {t(asTable ? 'chart.as_chart_short' : 'chart.as_table_short')}
        </Button>
      </div>
      <p className="soft chart-summary">{summary}</p>
      {asTable ? (
        <Table title={title} {...plot} points={plot.points.filter(happened)} />
      ) : (
        <>
          <Legend columns={plot.columns} limit={plot.limit?.name} />
          <Plot {...plot} label={`${title}: ${summary}`} />
        </>
      )}
    </Card>
  );
}

/** Which charts are shown as tables stands in the address. */
function useAsTable(name: string): [boolean, () => void] {
  const [params, setParams] = useSearchParams();
  const tables = params.get('tables')?.split(',').filter(Boolean) ?? [];
  const shown = tables.includes(name);
  const toggle = () => {
    const next = shown ? tables.filter((one) => one !== name) : [...tables, name];
    setParams(
      (before) => {
        next.length > 0 ? before.set('tables', next.join(',')) : before.delete('tables');
        return before;
      },
      { replace: true },
    );
  };
  return [shown, toggle];
}

/** The newest step first. */
const Table = memo(function Table({ title, points, columns, range }: { title: string } & Pick<PlotProps, 'points' | 'columns' | 'range'>) {
  const { t } = useTranslation('app');
  const { full } = useAxisTimes(range);
  return (
    // It scrolls by itself, so the keyboard must reach it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="chart-table" tabIndex={0} role="region" aria-label={title}>
      <table className="plain">
        <caption className="soft">{t('chart.left_out')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('chart.time')}</th>
            {columns.map(({ key, name }) => (
              <th key={key} scope="col" className="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.toReversed().map((point) => (
            <tr key={point.time}>
              <th scope="row">{full(point.time)}</th>
              {columns.map(({ key, format }) => (
                <td key={key} className="number">
                  {point[key] == null ? '–' : format(point[key])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
});
