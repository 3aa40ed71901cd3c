// Environments as an app's form offers them: which cannot be chosen, and which can though nothing starts there now.
import type { EnvironmentInfo } from '../../api/schema';

export interface Hindrance {
  /** Why, as a text's key under `form:environments`. */
  why: 'unknown' | 'cordoned' | 'draining' | Exclude<EnvironmentInfo['status'], 'online'>;
  /** The host takes no new app there; otherwise it does, and the app starts when the worker is back. */
  barred: boolean;
}

/** What stands in the way of an app there; null: nothing. `undefined` is an environment that the host does not list. */
export function hindranceOf(one: Pick<EnvironmentInfo, 'status' | 'schedulable' | 'draining'> | undefined): Hindrance | null {
  if (!one) return { why: 'unknown', barred: true };
  // host/supervisor/src/placement.rs: it refuses those that are cordoned, and asks for nothing else.
  if (!one.schedulable) return { why: one.draining ? 'draining' : 'cordoned', barred: true };
  return one.status === 'online' ? null : { why: one.status, barred: false };
}
