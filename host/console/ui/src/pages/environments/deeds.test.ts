import { expect, it } from 'vitest';
import { isAlone } from '../../api/environments';
import type { EnvironmentInfo } from '../../api/schema';
import { deedsOf } from './use-actions';

const worker: EnvironmentInfo = {
  name: 'worker-1',
  version: '0.1.0',
  url: 'http://worker-1.example.com',
  proxy_url: 'http://10.0.0.1',
  status: 'online',
  message: null,
  schedulable: true,
  draining: false,
  last_heartbeat: 0,
  heartbeat_ms: 10_000,
  apps: 0,
  running: 0,
  dead_letters: 0,
  started_at: 0,
  cpu_cores: 1,
  cpu_load: 0,
  process_memory_bytes: 0,
  memory_total_bytes: 0,
  app_memory_bytes: 0,
  instances: 0,
  instance_slots: 0,
};

it('offers what makes sense now', () => {
  const deeds = (part: Partial<EnvironmentInfo>) => deedsOf({ ...worker, ...part }).map(({ deed, why }) => (why ? `${deed}: ${why}` : deed));
  expect(deeds({})).toEqual(['cordon', 'drain', 'remove: online']);
  expect(deeds({ schedulable: false })).toEqual(['uncordon', 'drain', 'remove: online']);
  expect(deeds({ schedulable: false, draining: true })).toEqual(['uncordon', 'remove: online']);
  expect(deeds({ status: 'lost', apps: 2 })).toEqual(['cordon', 'drain', 'remove: apps']);
  expect(deeds({ status: 'left' })).toEqual(['cordon', 'drain', 'remove']);
});

it('knows a host without workers', () => {
  expect(isAlone([{ ...worker, url: null, proxy_url: null }])).toBe(true);
  expect(isAlone([worker])).toBe(false);
  expect(isAlone([])).toBe(false);
});
