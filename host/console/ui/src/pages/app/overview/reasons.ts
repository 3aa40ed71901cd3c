// Why requests fail, by the stable codes of the host (host/model/src/failure.rs), and where something can be done about
// each: a tab of the app's page, or the page of all environments.
export type Remedy = 'limits' | 'logs' | 'component' | 'settings' | 'environments' | null;

const REMEDY: Record<string, Remedy> = {
  app_not_found: null,
  app_stopped: null,
  app_failed: 'logs',
  app_starting: 'logs',
  queue_full: 'limits',
  queue_timeout: 'limits',
  overloaded: 'limits',
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
  environment_lost: 'environments',
  bad_gateway: 'environments',
  // A visitor asked for it; whether the app belongs there is its settings' matter.
  environment_not_found: 'settings',
};

/** Whether there are words for a code. */
export function isKnown(code: string): boolean {
  return Object.hasOwn(REMEDY, code);
}

/** Where to go about it; of a code that came later, the logs. */
export function remedy(code: string): Remedy {
  return isKnown(code) ? (REMEDY[code] ?? null) : 'logs';
}

/** The address of a remedy for an app. */
export function remedyPath(go: NonNullable<Remedy>, app: string): string {
  return go === 'environments' ? '/environments' : `/apps/${app}/${go}`;
}
