// What a chart shows of each step: in bars or lines, in its legend, and in its table.
import type { Outcome, Point } from './history';

/** The members of a point that are numbers. */
export type Numeric = { [K in keyof Point]-?: Point[K] extends number | null ? K : never }[keyof Point];
export type LineStyle = 'p50' | 'p95' | 'p99' | 'cores' | 'throttled' | 'memory' | 'in_flight' | 'queued';

export interface Column {
  key: Numeric;
  name: string;
  format: (value: number) => string;
  /** In bars: its pattern. */
  fill?: Outcome;
  /** In lines: its colour and dashes. */
  line?: LineStyle;
}

/** Lines differ by their dashes too, so that colour is not all. */
export const DASHES: Record<LineStyle, string | undefined> = {
  p50: undefined,
  p95: '7 4',
  p99: '2 3',
  cores: undefined,
  throttled: '7 4',
  memory: undefined,
  in_flight: undefined,
  queued: '7 4',
};
