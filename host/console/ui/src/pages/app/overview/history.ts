// Points of an app's history as charts want them: every step there is, and what can be said of them.
import type { StatsHistory, StatsPoint } from '../../../api/schema';

export const OUTCOMES = ['answered', 'refused', 'timed_out', 'trapped', 'out_of_memory', 'cpu_limited', 'cancelled'] as const;
export type Outcome = (typeof OUTCOMES)[number];
/** The outcomes in which the visitor did not get what they came for. */
export const FAILURES = ['refused', 'timed_out', 'trapped', 'out_of_memory', 'cpu_limited'] as const;

export interface Point extends StatsPoint {
  /** CPU used, in cores. */
  cores: number;
  /** Time its guests waited for CPU, in cores: so that it compares with what they used. */
  throttled_cores: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

const NOUGHT: Omit<StatsPoint, 'time'> = {
  answered: 0,
  server_errors: 0,
  cancelled: 0,
  refused: 0,
  timed_out: 0,
  trapped: 0,
  out_of_memory: 0,
  cpu_limited: 0,
  cpu_ms: 0,
  throttled_ms: 0,
  memory_bytes: 0,
  in_flight: 0,
  queued: 0,
  instances: 0,
  latency: null,
};

/** All steps from `from` to `to`; those that the host left out, because nothing happened in them, are nought. */
export function fill(history: StatsHistory): Point[] {
  const { from, to, step_ms: step, points } = history;
  const known = new Map(points.map((point) => [Math.floor(point.time / step), point]));
  const filled: Point[] = [];
  for (let index = Math.floor(from / step); index * step < to; index += 1) {
    filled.push(toPoint(known.get(index) ?? { ...NOUGHT, time: index * step }, step));
  }
  return filled;
}

function toPoint(point: StatsPoint, step: number): Point {
  return {
    ...point,
    cores: point.cpu_ms / step,
    throttled_cores: point.throttled_ms / step,
    p50: point.latency?.p50_ms ?? null,
    p95: point.latency?.p95_ms ?? null,
    p99: point.latency?.p99_ms ?? null,
  };
}

export const requestsOf = (point: StatsPoint) => OUTCOMES.reduce((sum, outcome) => sum + point[outcome], 0);
export const failuresOf = (point: StatsPoint) => FAILURES.reduce((sum, outcome) => sum + point[outcome], 0);

/** Whether anything happened in a step. */
export const happened = (point: Point) => requestsOf(point) + point.cpu_ms + point.throttled_ms + point.memory_bytes + point.instances > 0;

export const sum = (points: Point[], of: (point: Point) => number) => points.reduce((total, point) => total + of(point), 0);

/** The step with the highest value; null: there is none above nought. */
export function highest(points: Point[], of: (point: Point) => number | null): { value: number; time: number } | null {
  let best: { value: number; time: number } | null = null;
  for (const point of points) {
    const value = of(point) ?? 0;
    if (value > (best?.value ?? 0)) best = { value, time: point.time };
  }
  return best;
}

/** The times at which an axis is labelled: whole tens of minutes, every fourth hour, or midnights, of this place. */
export function ticks(points: Point[], range: StatsHistory['range']): number[] {
  return points.map((point) => point.time).filter((time) => isTick(new Date(time), range));
}

function isTick(at: Date, range: StatsHistory['range']): boolean {
  if (range === 'hour') return at.getMinutes() % 10 === 0;
  if (range === 'day') return at.getMinutes() === 0 && at.getHours() % 4 === 0;
  return at.getHours() === 0;
}
