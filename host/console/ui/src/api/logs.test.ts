import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { api } from './client';
import { fieldsText, follow, matches, newer, textOf } from './logs';
import type { LogLine } from './schema';

const line = (time: number, more: Partial<LogLine> = {}): LogLine => ({ time, level: 'info', source: 'app', message: `line ${time}`, ...more });
const lines = (...times: number[]) => times.map((time) => line(time));

test('filters see lines as the host does', () => {
  const warning = line(1, { level: 'warn', source: 'stderr', message: 'Disk FULL', request: 'abc' });
  expect(matches(warning, {})).toBe(true);
  expect(matches(warning, { level: 'info', source: 'stderr', search: 'full', request: 'abc' })).toBe(true);
  expect(matches(warning, { level: 'error' })).toBe(false);
  expect(matches(warning, { source: 'app' })).toBe(false);
  expect(matches(warning, { search: 'empty' })).toBe(false);
  expect(matches(warning, { request: 'other' })).toBe(false);
});

test('fields are shown as the host shows them, and found', () => {
  const said = line(1, { message: 'closed', fields: { ticket: 7, by: 'Ada L', tags: ['a', { b: null }], 'a=b': '' } });
  expect(fieldsText(said)).toBe('"a=b"="" by="Ada L" tags=["a",{"b":null}] ticket=7');
  expect(textOf({ ...said, message: '' })).toBe(fieldsText(said));
  expect(textOf(line(1))).toBe('line 1');
  expect(matches(said, { search: 'TICKET=7' })).toBe(true);
  expect(matches(said, { search: 'closed "a=b' })).toBe(true);
  expect(matches(said, { search: 'ticket=8' })).toBe(false);
  expect(newer([said], [said, { ...said, fields: { ticket: 8 } }])).toHaveLength(1);
});

test('lines that both readings hold are counted once', () => {
  expect(newer([], lines(1, 2))).toEqual(lines(1, 2));
  expect(newer(lines(1, 2, 3), lines(2, 3, 4))).toEqual(lines(4));
  expect(newer(lines(1, 2), lines(1, 2))).toEqual([]);
  expect(newer(lines(1, 2), lines(8, 9))).toEqual(lines(8, 9));
});

test('lines that are the same are told apart by their number', () => {
  expect(newer(lines(1, 1, 1), lines(1, 1, 1, 1))).toEqual(lines(1));
});

/** The browser's, as far as following a log uses it. */
class Stream extends EventTarget {
  static all: Stream[] = [];
  onopen?: () => void;
  onerror?: () => void;
  closed = false;
  readonly url: string;
  constructor(url: string) {
    super();
    this.url = url;
    Stream.all.push(this);
  }
  send(type: string, data: unknown) {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }));
  }
  close() {
    this.closed = true;
  }
}

const listener = () => ({ onLines: vi.fn(), onDropped: vi.fn(), onLink: vi.fn(), onError: vi.fn() });
const given = (heard: ReturnType<typeof listener>) => heard.onLines.mock.calls.flatMap(([some]: LogLine[][]) => some?.map(({ time }) => time));
let kept: LogLine[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', Stream);
  Stream.all = [];
  kept = lines(1, 2);
  const answer = async () => ({ data: { items: [...kept], next_cursor: null }, response: new Response() });
  vi.spyOn(api, 'GET').mockImplementation(answer as never);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test('the stream is asked for what it can filter, and closed at the end', () => {
  const stop = follow('shop', { level: 'warn', request: 'r' }, listener());
  const [stream] = Stream.all;
  expect(stream?.url).toBe('/api/apps/shop/logs/live?level=warn');
  stop();
  expect(stream?.closed).toBe(true);
});

test('a line that the stream brings while the newest are read is not lost, nor given twice', async () => {
  const heard = listener();
  const stop = follow('shop', {}, heard);
  const [stream] = Stream.all;
  stream?.onopen?.();
  stream?.send('line', line(2));
  stream?.send('line', line(3));
  await vi.advanceTimersByTimeAsync(0);
  stream?.send('line', line(4));
  stream?.send('dropped', { count: 7 });
  expect(given(heard)).toEqual([1, 2, 3, 4]);
  expect(heard.onLink).toHaveBeenCalledWith('live');
  expect(heard.onDropped).toHaveBeenCalledWith(7);
  stop();
});

test('a line that was read before the stream brings it is not given twice', async () => {
  const heard = listener();
  kept = lines(1, 2, 3, 4);
  const stop = follow('shop', {}, heard);
  const [stream] = Stream.all;
  stream?.onopen?.();
  stream?.send('line', line(3));
  await vi.advanceTimersByTimeAsync(0);
  stream?.send('line', line(4));
  stream?.send('line', line(5));
  stream?.send('line', line(5));
  expect(given(heard)).toEqual([1, 2, 3, 4, 5, 5]);
  stop();
});

test('while the stream is cut lines are polled, and the stream is tried again', async () => {
  const heard = listener();
  const stop = follow('shop', {}, heard);
  Stream.all[0]?.onerror?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(given(heard)).toEqual([1, 2]);
  kept = lines(1, 2, 3);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(given(heard)).toEqual([1, 2, 3]);
  expect(heard.onLink).toHaveBeenLastCalledWith('polling');
  await vi.advanceTimersByTimeAsync(16_000);
  expect(Stream.all).toHaveLength(2);
  kept = lines(1, 2, 3, 4);
  Stream.all[1]?.onopen?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(given(heard)).toEqual([1, 2, 3, 4]);
  expect(heard.onLink).toHaveBeenLastCalledWith('live');
  stop();
});

test('a stream that had held for a while is opened again at once', async () => {
  const stop = follow('shop', {}, listener());
  Stream.all[0]?.onopen?.();
  await vi.advanceTimersByTimeAsync(900_000);
  Stream.all[0]?.onerror?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(Stream.all).toHaveLength(2);
  stop();
});

test('a line of a stream that is cut at once is not lost', async () => {
  const heard = listener();
  const stop = follow('shop', {}, heard);
  const [stream] = Stream.all;
  stream?.onopen?.();
  stream?.send('line', line(3));
  stream?.onerror?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(given(heard)).toEqual([1, 2, 3]);
  stop();
});
