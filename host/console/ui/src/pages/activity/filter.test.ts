import { expect, it } from 'vitest';
import type { AuditEvent } from '../../api/schema';
import { byDay, filterOf, isEmpty } from './filter';

it('reads the filter from the address, and nothing else', () => {
  expect(filterOf(new URLSearchParams('search=%20a%20&app=shop&result=&other=1'))).toEqual({ search: 'a', app: 'shop' });
  expect(isEmpty(filterOf(new URLSearchParams('')))).toBe(true);
  expect(filterOf(new URLSearchParams({ search: 'x'.repeat(300) })).search).toHaveLength(200);
});

it('puts entries of one day together', () => {
  const at = (...time: [number, number, number, number]) => ({ time: new Date(...time).getTime() }) as AuditEvent;
  const days = byDay([at(2026, 10, 21, 23), at(2026, 10, 21, 0), at(2026, 10, 20, 23)]);
  expect(days.map((day) => day.events.length)).toEqual([2, 1]);
  expect(byDay([])).toEqual([]);
});
