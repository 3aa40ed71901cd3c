// Draws points. Time runs from left to right in every language; colours and patterns stand in charts.css.
import { useTranslation } from 'react-i18next';
import { Bar, BarChart, CartesianGrid, Line, LineChart, ReferenceLine, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { Range } from '../../../api/stats';
import { useAxisTimes } from './axis';
import { axisSteps } from './axis-steps';
import { type Column, DASHES, type Numeric } from './columns';
import { type Point, ticks } from './history';
import { Patterns, patternOf } from './patterns';
import { PointerBox } from './pointer-box';

export interface PlotProps {
  kind: 'bars' | 'lines';
  points: Point[];
  range: Range;
  columns: Column[];
  limit?: { value: number; name: string };
  label: string;
  /** Values are bytes: the axis counts in powers of two. */
  bytes?: boolean;
}

const HEIGHT = 220;
/** An idle app's CPU is not drawn as mountains. */
const LEAST_CORES = 0.04;

export function Plot({ kind, points, range, columns, limit, label, bytes = false }: PlotProps) {
  const { tick } = useAxisTimes(range);
  const { i18n } = useTranslation();
  const top = Math.max(limit?.value ?? 0, columns.some(({ line }) => line === 'cores') ? LEAST_CORES : 0, highestOf(points, columns, kind === 'bars'));
  const steps = axisSteps(top, { bytes, whole: kind === 'bars' || columns.some(({ line }) => line === 'queued') });
  const [first] = columns;
  const axes = [
    <CartesianGrid key="grid" vertical={false} stroke="var(--ant-color-border-secondary)" />,
    <XAxis
      key="x"
      dataKey="time"
      ticks={ticks(points, range)}
      tickFormatter={tick}
      interval="equidistantPreserveStart"
      minTickGap={12}
      tickLine={false}
      className="chart-axis"
    />,
    <YAxis
      key="y"
      width="auto"
      domain={[0, steps.at(-1) ?? 1]}
      ticks={steps}
      interval={0}
      tickFormatter={first?.format}
      tickLine={false}
      axisLine={false}
      className="chart-axis"
    />,
    <Tooltip key="tip" isAnimationActive={false} cursor={{ className: 'chart-cursor' }} content={<PointerBox columns={columns} range={range} language={i18n.language} />} />,
  ];
  const margin = { top: 8, right: 8, bottom: 0, left: 0 };
  return (
    <div className="plot" dir="ltr">
      <ResponsiveContainer width="100%" height={HEIGHT}>
        {kind === 'bars' ? (
          <BarChart data={points} margin={margin} aria-label={label} barCategoryGap={points.length > 100 ? 0 : 1}>
            <Patterns />
            {axes}
            {columns.map(({ key, fill = 'answered' }) => (
              <Bar key={key} dataKey={key} stackId="all" fill={patternOf(fill)} isAnimationActive={false} />
            ))}
          </BarChart>
        ) : (
          <LineChart data={points} margin={margin} aria-label={label}>
            {axes}
            {limit && <ReferenceLine y={limit.value} className="chart-limit" strokeDasharray="10 4" />}
            {columns.map(({ key, line = 'cores' }) => (
              <Line
                key={key}
                dataKey={key}
                type="linear"
                stroke={`var(--chart-${line})`}
                strokeWidth={2}
                strokeDasharray={DASHES[line]}
                dot={<Lonely steps={points} of={key} />}
                isAnimationActive={false}
              />
            ))}
          </LineChart>
        )}
      </ResponsiveContainer>
    </div>
  );
}

interface DotProps {
  cx?: number;
  cy?: number;
  index?: number;
  stroke?: string;
  /** Not `points`: the chart sets that itself. */
  steps: Point[];
  of: Numeric;
}

/** A value without neighbours would draw no line: it is a dot. */
function Lonely({ cx, cy, index = 0, stroke, steps, of }: DotProps) {
  const alone = steps[index - 1]?.[of] == null && steps[index + 1]?.[of] == null;
  if (!alone || steps[index]?.[of] == null || cx == null || cy == null) return null;
  return <circle cx={cx} cy={cy} r={3} fill={stroke} />;
}

function highestOf(points: Point[], columns: Column[], stacked: boolean): number {
  const values = points.map((point) => {
    const each = columns.map(({ key }) => point[key] ?? 0);
    return stacked ? each.reduce((sum, value) => sum + value, 0) : Math.max(0, ...each);
  });
  return Math.max(0, ...values);
}
