import { expect, test } from 'vitest';
import type { LogLine } from '../../../api/schema';
import { advance, EMPTY, MOST, type Tail } from './tail';

const lines = (...times: number[]): LogLine[] => times.map((time) => ({ time, level: 'info', source: 'app', message: `line ${time}` }));
const times = (tail: Tail) => tail.rows?.map(({ line }) => line.time);

test('lines come in order, each with a key of its own', () => {
  const tail = advance(advance(EMPTY, { type: 'lines', lines: lines(1, 2) }), { type: 'lines', lines: lines(2, 3) });
  expect(times(tail)).toEqual([1, 2, 2, 3]);
  expect(tail.rows?.map(({ key }) => key)).toEqual([0, 1, 2, 3]);
});

test('an empty log is known to be empty', () => {
  expect(EMPTY.rows).toBeUndefined();
  expect(advance(EMPTY, { type: 'lines', lines: [] }).rows).toEqual([]);
});

test('no more lines than a page carries', () => {
  const many = advance(EMPTY, { type: 'lines', lines: lines(...Array.from({ length: MOST + 10 }, (_, time) => time)) });
  expect(many.rows).toHaveLength(MOST);
  expect(many.rows?.[0]?.key).toBe(10);
});

test('while paused lines wait; then all are shown', () => {
  let tail = advance(advance(EMPTY, { type: 'lines', lines: lines(1) }), { type: 'pause' });
  tail = advance(tail, { type: 'lines', lines: lines(2, 3) });
  expect([times(tail), tail.held.length]).toEqual([[1], 2]);
  tail = advance(tail, { type: 'resume' });
  expect([times(tail), tail.held.length, tail.paused]).toEqual([[1, 2, 3], 0, false]);
});

test('another filter begins anew, still paused, and shows its first lines', () => {
  let tail = advance(advance(advance(EMPTY, { type: 'lines', lines: lines(1) }), { type: 'pause' }), { type: 'clear' });
  expect(tail).toMatchObject({ rows: undefined, paused: true, next: 1 });
  tail = advance(tail, { type: 'lines', lines: lines(5) });
  expect(times(tail)).toEqual([5]);
});

test('lines that were left out are counted', () => {
  expect(advance(advance(EMPTY, { type: 'dropped', count: 2 }), { type: 'dropped', count: 3 }).dropped).toBe(5);
});
