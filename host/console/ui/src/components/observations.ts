import type { AppAnswer, Observed } from '../api/schema';

/** What was last seen of the app: one entry an environment, `unknown` where nothing was. */
export function observations(app: Pick<AppAnswer, 'observed' | 'environments' | 'updated_at'>): Observed[] {
  const seen = app.observed ?? [];
  const unseen = app.environments.filter((environment) => !seen.some((one) => one.environment === environment));
  return [...seen, ...unseen.map((environment) => ({ environment, status: 'unknown' as const, since: app.updated_at }))];
}
