// What the forms of apps ask the host beside the app itself.
import { useQuery } from '@tanstack/react-query';
import { checkApp, ended } from './apps';
import { api, call } from './client';
import { type ProblemError, toProblem } from './problem';
import { keys } from './queries';
import type { AppAnswer, ConnectionReport, DatabaseTest, Operation } from './schema';

/** The limits that a new app gets are among them. */
export function useHostSettings() {
  return useQuery({ queryKey: keys.settings, queryFn: () => call(() => api.GET('/api/settings')), staleTime: 10_000, retry: false });
}

/** Tries a database without changing anything. Throws a ProblemError with what is missing. */
export function testDatabase(test: DatabaseTest): Promise<ConnectionReport> {
  return call(() => api.POST('/api/databases/test', { body: test }));
}

/** An app's keys; asked for again when the app changes. */
export function useJwt(id: string, updatedAt: number) {
  return useQuery({
    queryKey: keys.appPart(id, 'jwt', updatedAt),
    placeholderData: (before) => before,
    queryFn: () => call(() => api.GET('/api/apps/{id}/jwt', { params: { path: { id } } })),
  });
}

/** Has an app sign with a new key; tokens of the old one verify for so many seconds more. */
export async function rotateKey(id: string, overlapSeconds: number): Promise<Operation> {
  const { operation } = await call(() =>
    api.POST('/api/apps/{id}/jwt/rotate', { params: { path: { id } }, body: { overlap_seconds: overlapSeconds } }),
  );
  return ended(operation);
}

const ABOUT_THE_ID = new Set(['app_exists', 'host_label_taken', 'app_deleting']);

/** Why an ID cannot be had: the host's own words, or who has it; null if it is free. */
export async function findIdProblem(id: string, digest: string | null): Promise<ProblemError | AppAnswer | null> {
  if (digest) {
    const tried = await checkApp({ id, component: { digest } }).then(() => null, toProblem);
    if (!tried) return null;
    if (tried.field === 'id' || ABOUT_THE_ID.has(tried.code)) return tried;
    if (tried.status === 422) return null;
  }
  const { items } = await call(() => api.GET('/api/apps', { params: { query: { search: id, limit: 1000 } } }));
  return items.find((app) => app.id === id) ?? null;
}
