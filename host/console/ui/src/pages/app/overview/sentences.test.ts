import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Sample } from '../../../api/samples';
import type { MeterSnapshot, Observed } from '../../../api/schema';
import texts from '../../../locales/en/app.json';
import { isKnown, remedy, remedyPath } from './reasons';
import { sentences } from './sentences';

const NOUGHT = { answered: 0, server_errors: 0, cancelled: 0, refused: 0, timed_out: 0, trapped: 0, out_of_memory: 0, cpu_limited: 0 };
const IDLE: MeterSnapshot = { ...NOUGHT, in_flight: 0, queued: 0, cpu_ms: 0, throttled_ms: 0, capped_ms: 0, memory_bytes: 0, memory_peak_bytes: 0, instances: 0, instantiations: 0, reasons: {}, latency: null };

const app = (status: Observed['status'], limits = {}, message?: string) => ({
  environments: ['local'],
  observed: [{ environment: 'local', status, since: 0, message }],
  limits: { concurrency: 4, queue: 8, memory_bytes: 1_000, ...limits },
  start_mode: 'on_first_visit' as const,
  desired: 'running' as const,
});
const minute = (stats: Partial<MeterSnapshot>): Sample[] => [
  { at: 0, stats: IDLE },
  { at: 60_000, stats: { ...IDLE, ...stats } },
];
const keys = (...given: Parameters<typeof sentences>) => sentences(...given).map(({ key }) => key);

test('an app that waits, and one that runs idly', () => {
  expect(keys(app('waiting'), minute({}))).toEqual(['waiting_visit']);
  expect(keys({ ...app('waiting'), start_mode: 'with_host' }, [])).toEqual(['waiting']);
  expect(keys(app('running'), minute({}))).toEqual(['running', 'idle']);
});

test('an app in several environments, and in none yet', () => {
  const observed = (['running', 'failed'] as const).map((status, index) => ({ environment: `e${index}`, status, since: 0 }));
  const said = sentences({ ...app('running'), observed }, []);
  expect(said.map(({ place, key }) => `${place}: ${key}`)).toEqual(['e0: running', 'e1: failed']);
  expect(sentences(app('running'), [])[0]?.place).toBeUndefined();
  expect(keys({ ...app('running'), environments: [], observed: [] }, [])).toEqual(['unplaced']);
  expect(texts.now).toHaveProperty('unplaced');
});

test('requests in flight, and why others wait', () => {
  const [, served, waiting] = sentences(app('running'), minute({ in_flight: 4, queued: 3 }));
  expect(served).toMatchObject({ key: 'in_flight', holes: { count: 4 } });
  expect(waiting).toMatchObject({ key: 'queued_full', holes: { count: 3, limit: 4 }, go: 'limits' });
  expect(keys(app('running'), minute({ in_flight: 1, queued: 3 }))).toContain('queued');
});

test('throttled by its own cap, or because others wanted the CPU too', () => {
  const capped = sentences(app('running', { cpu_cores: 0.25 }), minute({ throttled_ms: 20_400, capped_ms: 20_400 }));
  expect(capped.at(-1)).toMatchObject({ key: 'throttled_cap', holes: { share: 0.34, cores: 0.25, window_ms: 60_000 }, go: 'limits' });
  expect(keys(app('running'), minute({ throttled_ms: 6_000 }))).toContain('throttled_others');
  expect(keys(app('running', { cpu_cores: 1 }), minute({ throttled_ms: 100, capped_ms: 100 }))).toEqual(['running', 'idle']);
});

test('many guests that wait at once wait no more than all of the time', () => {
  const [, , one] = sentences(app('running', { cpu_cores: 1 }), minute({ throttled_ms: 300_000, capped_ms: 300_000 }));
  expect(one?.holes.share).toBe(1);
});

test('what was refused and ended, with the limit that was met', () => {
  const said = sentences(app('running'), minute({ refused: 12, out_of_memory: 1, reasons: { app_out_of_memory: 1, queue_full: 12 } }));
  expect(said.slice(2)).toMatchObject([
    { key: 'reason.queue_full', holes: { count: 12, limit: 8 }, go: 'limits' },
    { key: 'reason.app_out_of_memory', holes: { count: 1, budget_bytes: 1_000 }, go: 'limits' },
  ]);
});

test('a code that came later is shown as it is', () => {
  const said = sentences(app('running'), minute({ reasons: { brand_new: 2 } }));
  expect(said.at(-1)).toMatchObject({ key: 'reason.other', holes: { code: 'brand_new' }, go: 'logs' });
  expect(isKnown('toString')).toBe(false);
  expect(remedy('toString')).toBe('logs');
});

test('memory that is nearly used up', () => {
  expect(keys(app('running'), minute({ memory_bytes: 950 }))).toContain('memory');
  expect(keys(app('running'), minute({ memory_bytes: 800 }))).not.toContain('memory');
});

test('crashes at the start, while the host tries again and when it does not', () => {
  const again = sentences(app('failed', {}, 'no database (failed start 2 of 5, trying again in 2s)'), []);
  expect(again).toMatchObject([{ key: 'failed_again', holes: { count: 2, max: 5 } }]);
  expect(keys(app('failed', {}, 'no (failed start 5 of 5: not tried again until it is started, restarted or changed)'), [])).toEqual(['failed_for_good']);
  expect(keys(app('failed', {}, 'the component is gone'), [])).toEqual(['failed']);
});

// The host's own list: `Self::QueueFull => "queue_full",`.
const failures = readFileSync(`${import.meta.dirname}/../../../../../../model/src/failure.rs`, 'utf8');
const codes = [...failures.matchAll(/=> "([a-z_]+)",/g)].map(([, code = '']) => code);

test('every code of the host is known, and has words and a sentence', () => {
  expect(codes).toHaveLength(Number(/ALL: \[Self; (\d+)\]/.exec(failures)?.[1]));
  for (const code of [...codes, 'other']) {
    expect(isKnown(code), code).toBe(code !== 'other');
    expect(texts.reasons.words).toHaveProperty(code);
    expect(texts.now.reason).toHaveProperty(`${code}_one`);
    expect(texts.now.reason).toHaveProperty(`${code}_other`);
  }
});

test('every remedy has a link and its words', () => {
  for (const code of codes) {
    const go = remedy(code);
    if (go) expect(texts.now).toHaveProperty(`go_${go}`);
  }
  expect(sentences(app('unknown'), minute({ reasons: { environment_lost: 1 } })).at(-1)).toMatchObject({ key: 'reason.environment_lost', go: 'environments' });
  expect(remedyPath('environments', 'shop')).toBe('/environments');
  expect(remedyPath('logs', 'shop')).toBe('/apps/shop/logs');
});
