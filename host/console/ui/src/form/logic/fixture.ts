// An app with some of everything, for the tests.
import type { AppAnswer } from '../../api/schema';
import { STANDARD } from './limits';

export const app: AppAnswer = {
  id: 'shop',
  display_name: 'Shop',
  component: { digest: 'aa', name: 'shop', version: '1' },
  start_mode: 'on_first_visit',
  environments: ['local'],
  placement: 'named',
  failover: false,
  database: { kind: 'new_connection' },
  data_sources: { orders: { app: 'other', access: 'read_only' }, archive: { access: 'read_write' } },
  auto_upgrade: false,
  jwt: { independent: true, algorithm: 'HS256' },
  domains: ['shop.example.com'],
  limits: { ...STANDARD, memory_bytes: 1 } as AppAnswer['limits'],
  config: { GREETING: { value: 'hi', secret: false }, KEY: { value: null, secret: true } },
  outbound_hosts: [],
  path_access: 'serve',
  desired: 'running',
  observed: [],
  created_at: 0,
  updated_at: 0,
  tags: ['a'],
  urls: [],
};
