// Why requests fail, by the stable codes of the host: what can be done about each stands on this tab of the app's page.
export type Remedy = 'limits' | 'logs' | 'component' | 'settings' | null;

const REMEDY: Record<string, Remedy> = {
  app_not_found: null,
  app_stopped: null,
  app_failed: 'logs',
  app_starting: 'logs',
  queue_full: 'limits',
  queue_timeout: 'limits',
  host_busy: null,
  app_trapped: 'logs',
  app_out_of_memory: 'limits',
  app_no_response: 'logs',
  internal: 'logs',
  deadline_exceeded: 'limits',
  cpu_limit_exceeded: 'limits',
  body_too_large: 'limits',
  header_too_large: null,
  bad_request: null,
};

/** Whether there are words for a code. */
export function isKnown(code: string): boolean {
  return Object.hasOwn(REMEDY, code);
}

/** Where to go about it; of a code that came later, the logs. */
export function remedy(code: string): Remedy {
  return isKnown(code) ? (REMEDY[code] ?? null) : 'logs';
}
