import { expect, test } from 'vitest';
import { lately, reasonsOf, type Sample, withSample } from './samples';
import type { MeterSnapshot } from './schema';

const NOUGHT: MeterSnapshot = {
  answered: 0,
  server_errors: 0,
  cancelled: 0,
  refused: 0,
  timed_out: 0,
  trapped: 0,
  out_of_memory: 0,
  cpu_limited: 0,
  in_flight: 0,
  queued: 0,
  cpu_ms: 0,
  throttled_ms: 0,
  capped_ms: 0,
  memory_bytes: 0,
  memory_peak_bytes: 0,
  instances: 0,
  instantiations: 0,
  reasons: {},
  latency: null,
};
const sample = (at: number, stats: Partial<MeterSnapshot> = {}): Sample => ({ at, stats: { ...NOUGHT, ...stats } });

test('readings are kept for a minute and a little more', () => {
  let samples: Sample[] = [];
  for (let at = 0; at <= 100_000; at += 2_000) samples = withSample(samples, sample(at));
  expect(samples[0]?.at).toBe(36_000);
  expect(samples.at(-1)?.at).toBe(100_000);
});

test('a host that counts from nought again has restarted', () => {
  const samples = withSample([sample(0, { answered: 10 }), sample(2_000, { answered: 12 })], sample(4_000, { answered: 1 }));
  expect(samples.map(({ at }) => at)).toEqual([4_000]);
});

test('one reading says nothing about lately', () => {
  expect(lately([sample(0, { answered: 5 })]).ms).toBe(0);
  expect(lately([]).requests).toBe(0);
});

test('lately is the difference of the first and the last reading of the window', () => {
  const recent = lately([
    sample(0, { answered: 1 }),
    sample(10_000, { answered: 10, refused: 1, cpu_ms: 1_000, throttled_ms: 500, capped_ms: 400, reasons: { queue_full: 1 } }),
    sample(70_000, { answered: 30, cancelled: 2, refused: 8, server_errors: 3, cpu_ms: 16_000, throttled_ms: 9_500, capped_ms: 6_400, reasons: { queue_full: 6, app_stopped: 2 } }),
  ]);
  expect(recent).toMatchObject({ ms: 60_000, requests: 29, failures: 7, serverErrors: 3, cores: 0.25, cappedMs: 6_000, crowdedMs: 3_000 });
  expect(recent.reasons).toEqual({ queue_full: 5, app_stopped: 2 });
});

test('reasons come the most frequent first, and may be missing', () => {
  const { stats } = sample(0, { reasons: { a: 1, c: 3, b: 3, none: 0 } });
  expect(reasonsOf(stats)).toEqual([['b', 3], ['c', 3], ['a', 1]]);
  expect(reasonsOf({ ...stats, reasons: undefined as never })).toEqual([]);
});
