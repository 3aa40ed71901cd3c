import { expect, it } from 'vitest';
import type { Settings } from '../../api/schema';
import { draftOf, limitsOutOfRange, patchOf } from './draft';

const settings = { default_limits: { concurrency: 8, cpu_cores: null }, trusted_proxies: { cidrs: ['10.0.0.0/8'], configured: false }, language: null } as unknown as Settings;
const base = draftOf(settings);

it('reads what is set, and null for what is built in', () => {
  expect(base.limits.concurrency).toBe(8);
  expect(base.limits.memory_bytes).toBeNull();
  expect(base.limits.cpu_cores).toBeNull();
});

it('sends only what changed', () => {
  expect(patchOf(base, base)).toBeNull();
  expect(patchOf(base, { ...base, language: 'fr' })).toEqual({ language: 'fr' });
  expect(patchOf({ ...base, language: 'fr' }, base)).toEqual({ language: null });
  expect(patchOf(base, { ...base, proxies: [] })).toEqual({ trusted_proxies: [] });
});

it('sends the limits as a whole, without those built in', () => {
  expect(patchOf(base, { ...base, limits: { ...base.limits, queue: 0 } })).toEqual({ default_limits: { concurrency: 8, queue: 0 } });
  expect(patchOf(base, { ...base, limits: { ...base.limits, concurrency: null } })).toEqual({ default_limits: {} });
});

it('finds limits out of range', () => {
  expect(limitsOutOfRange({ ...base.limits, concurrency: 0, queue: 0, cpu_cores: 0.001 }).sort()).toEqual(['concurrency', 'cpu_cores']);
});
