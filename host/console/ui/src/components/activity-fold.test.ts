import { expect, test } from 'vitest';
import type { AuditEvent } from '../api/schema';
import { foldOperations } from './activity-fold';

const entry = (id: number, result: string, operation: string | null = null): AuditEvent => ({
  id,
  time: id,
  actor: 'a@example.com',
  action: 'app.start',
  result,
  operation,
  app: null,
  address: null,
});

test('an operation that ended is one entry', () => {
  const folded = foldOperations([entry(3, 'succeeded', 'op_1'), entry(2, 'accepted', 'op_1'), entry(1, 'succeeded')]);
  expect(folded.map((event) => event.id)).toEqual([3, 1]);
});

test('the end of an operation tells from where it was asked for', () => {
  const accepted = { ...entry(2, 'accepted', 'op_1'), address: '192.0.2.7' };
  expect(foldOperations([entry(3, 'failed', 'op_1'), accepted])).toMatchObject([{ id: 3, address: '192.0.2.7' }]);
  expect(foldOperations([entry(4, 'succeeded')])[0]?.address).toBeNull();
});

test('an operation that runs keeps its entry', () => {
  const folded = foldOperations([entry(3, 'accepted', 'op_2'), entry(2, 'failed', 'op_1'), entry(1, 'accepted', 'op_1')]);
  expect(folded.map((event) => event.id)).toEqual([3, 2]);
});
