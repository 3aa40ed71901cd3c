import { expect, it, vi } from 'vitest';
import type { AppAnswer, LiveEvent } from './schema';

const { asked } = vi.hoisted(() => ({ asked: [] as ((answer: { data: unknown }) => void)[] }));
vi.mock('./client', () => ({ api: { GET: () => new Promise((answer) => asked.push(answer)) } }));
vi.mock('./session', () => ({ session: { get: () => 'in' } }));

const { apply } = await import('./live');
const { keys, queryClient } = await import('./queries');

const shop = (status: string) => ({ id: 'shop', observed: [{ environment: 'main', status }] }) as unknown as AppAnswer;
const shown = () => queryClient.getQueryData<AppAnswer[]>(keys.apps)?.[0]?.observed?.[0]?.status;
const answer = async (status: string) => {
  asked.shift()?.({ data: shop(status) });
  await new Promise((done) => setTimeout(done));
};

it('does not put an answer over an event that came after it was asked for', async () => {
  queryClient.setQueryData(keys.apps, [shop('stopped')]);
  apply({ type: 'app_changed', app: 'shop' } as LiveEvent);
  apply({ type: 'observed', app: 'shop', observed: { environment: 'main', status: 'running' } } as LiveEvent);
  await answer('starting');
  expect(shown()).toBe('running');
  expect(asked.length).toBe(1);
  await answer('running');
  expect(shown()).toBe('running');
  expect(asked.length).toBe(0);
});

it('takes an answer that nothing came after', async () => {
  queryClient.setQueryData(keys.apps, [shop('stopped')]);
  apply({ type: 'app_changed', app: 'shop' } as LiveEvent);
  await answer('failed');
  expect(shown()).toBe('failed');
});
