import type { About } from '../../api/schema';

/** A host as text for a bug report: in English and without what the browser's place and language do to figures. */
export function reportOf(about: About, browser: string): string {
  const lines = [
    `Lodge ${about.version}, Wasmtime ${about.wasmtime}`,
    `System: ${about.os} ${about.arch}, ${about.cores} cores, ${Math.round(about.memory_total_bytes / 1024 ** 2)} MiB of memory`,
    `Started: ${new Date(about.started_at).toISOString()}`,
    `Databases: control ${about.control_database}, apps ${about.apps_database}`,
    `Apps' domain: ${about.apps_domain ? 'set' : 'not set'}`,
    ...about.checks.map(({ name, status, message }) => `Check ${name}: ${status}${message ? ` (${message})` : ''}`),
    `Browser: ${browser}`,
  ];
  return lines.join('\n');
}
