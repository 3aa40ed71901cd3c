import { expect, it } from 'vitest';
import type { About } from '../../api/schema';
import { reportOf } from './report';

it('tells what a bug report needs, and no addresses', () => {
  const about = {
    version: '0.1.0',
    wasmtime: '45.0.0',
    os: 'linux',
    arch: 'x86_64',
    cores: 4,
    memory_total_bytes: 8 * 1024 ** 3,
    started_at: 0,
    control_database: 'sqlite',
    apps_database: 'postgres',
    apps_domain: 'apps.example.com',
    listen: '10.1.2.3:13000',
    admin_listen: '10.1.2.3:13001',
    checks: [{ name: 'pagemap_scan', status: 'warning', message: 'the kernel is too old' }],
  } as About;
  const text = reportOf(about, 'Firefox');
  expect(text).toContain('Lodge 0.1.0, Wasmtime 45.0.0\nSystem: linux x86_64, 4 cores, 8192 MiB of memory');
  expect(text).toContain('Check pagemap_scan: warning (the kernel is too old)');
  expect(text).not.toContain('10.1.2.3');
  expect(text).not.toContain('example.com');
});
