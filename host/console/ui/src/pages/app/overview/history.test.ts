import { expect, test } from 'vitest';
import type { StatsHistory, StatsPoint } from '../../../api/schema';
import { axisSteps } from './axis-steps';
import { failuresOf, fill, happened, highest, requestsOf, sum, ticks } from './history';

const MINUTE = 60_000;
const point = (time: number, more: Partial<StatsPoint> = {}): StatsPoint => ({
  time,
  answered: 0,
  latency: null,
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
  ...more,
});
const history = (points: StatsPoint[], from = 0, to = 5 * MINUTE): StatsHistory => ({ range: 'hour', step_ms: MINUTE, from, to, points });

test('steps that were left out are nought', () => {
  const filled = fill(history([point(MINUTE, { answered: 3 }), point(4 * MINUTE, { refused: 1 })]));
  expect(filled.map(({ time }) => time / MINUTE)).toEqual([0, 1, 2, 3, 4]);
  expect(filled.map(requestsOf)).toEqual([0, 3, 0, 0, 1]);
  expect(filled.map(failuresOf)).toEqual([0, 0, 0, 0, 1]);
  expect(filled.map(happened)).toEqual([false, true, false, false, true]);
});

test('the running step is there, and a history that begins within a step begins with it', () => {
  const filled = fill(history([point(5 * MINUTE, { answered: 1 })], 2.5 * MINUTE, 5.2 * MINUTE));
  expect(filled.map(({ time }) => time / MINUTE)).toEqual([2, 3, 4, 5]);
  expect(filled.at(-1)?.answered).toBe(1);
});

test('CPU time becomes cores, and latency is left out where there was none', () => {
  const [first, second] = fill(history([point(0, { cpu_ms: 15_000, throttled_ms: 6_000, latency: { p50_ms: 1, p95_ms: 2, p99_ms: 3 } })]));
  expect(first).toMatchObject({ cores: 0.25, throttled_cores: 0.1, p50: 1, p95: 2, p99: 3 });
  expect(second).toMatchObject({ cores: 0, p50: null });
});

test('the highest value and where it was', () => {
  const filled = fill(history([point(MINUTE, { queued: 3 }), point(2 * MINUTE, { queued: 7 })]));
  expect(highest(filled, (one) => one.queued)).toEqual({ value: 7, time: 2 * MINUTE });
  expect(highest(filled, (one) => one.p95)).toBeNull();
  expect(sum(filled, (one) => one.queued)).toBe(10);
});

test('an hour is labelled every ten minutes', () => {
  const filled = fill(history([], 0, 60 * MINUTE));
  expect(ticks(filled, 'hour')).toHaveLength(6);
});

test('steps of an axis are round, reach the top, and are whole where parts make no sense', () => {
  expect(axisSteps(0.22, { bytes: false, whole: false })).toEqual([0, 0.1, 0.2, 0.3].map((value) => expect.closeTo(value)));
  expect(axisSteps(3, { bytes: false, whole: true })).toEqual([0, 1, 2, 3]);
  expect(axisSteps(0, { bytes: false, whole: true })).toEqual([0, 1]);
  const memory = axisSteps(128 * 1024 ** 2, { bytes: true, whole: false });
  expect(memory.map((value) => value / 1024 ** 2)).toEqual([0, 64, 128]);
});
