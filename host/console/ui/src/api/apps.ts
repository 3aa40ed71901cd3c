import { useQuery } from '@tanstack/react-query';
import { api, call, idempotencyKey } from './client';
import { putApp, usePolling } from './live';
import { keys } from './queries';
import type { AppAnswer, AppPatch, NewApp, Operation } from './schema';

/** All apps, as the table wants them: it filters and sorts by itself. */
export function useApps() {
  return useQuery({ queryKey: keys.apps, queryFn: fetchApps, refetchInterval: usePolling() });
}

async function fetchApps(): Promise<AppAnswer[]> {
  const apps: AppAnswer[] = [];
  let cursor: string | undefined;
  do {
    const page = await call(() => api.GET('/api/apps', { params: { query: { limit: 1000, cursor } } }));
    apps.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
  return apps;
}

export function useApp(id: string) {
  return useQuery({
    queryKey: keys.app(id),
    queryFn: () => call(() => api.GET('/api/apps/{id}', { params: { path: { id } } })),
    refetchInterval: usePolling(),
  });
}

/** Requests a minute, CPU and memory of the apps that do something. */
export function useUsage() {
  return useQuery({
    queryKey: keys.usage,
    queryFn: () => call(() => api.GET('/api/usage')).then((list) => new Map(list.items.map((one) => [one.id, one]))),
    refetchInterval: 5_000,
  });
}

export type AppAction = 'start' | 'stop' | 'restart';

/** Asks for an action and ends when it has: with the operation as it ended. */
export async function act(id: string, action: AppAction): Promise<Operation> {
  const params = { path: { id } };
  const headers = idempotencyKey();
  const { operation } = await call(() => {
    if (action === 'start') return api.POST('/api/apps/{id}/start', { params, headers });
    if (action === 'stop') return api.POST('/api/apps/{id}/stop', { params, headers });
    return api.POST('/api/apps/{id}/restart', { params, headers });
  });
  return ended(operation);
}

/** Removes an app; `data` says what becomes of its database and key-value space. */
export async function removeApp(id: string, data: 'keep' | 'drop'): Promise<Operation> {
  const { operation } = await call(() => api.DELETE('/api/apps/{id}', { params: { path: { id }, query: { data } } }));
  return ended(operation);
}

/** Follows an operation to its end. */
export async function ended(operation: Operation): Promise<Operation> {
  let now = operation;
  while (now.status === 'running') {
    now = await call(() => api.GET('/api/operations/{id}', { params: { path: { id: operation.id }, query: { wait_ms: 20_000 } } }));
  }
  return now;
}

export async function createApp(app: NewApp, key = idempotencyKey()): Promise<AppAnswer> {
  const made = await call(() => api.POST('/api/apps', { body: app, headers: key }));
  putApp(made);
  return made;
}

/** Runs all checks of a creation without making anything. Throws the first problem. */
export function checkApp(app: NewApp): Promise<AppAnswer> {
  return call(() => api.POST('/api/apps', { body: app, params: { query: { dry_run: true } } }));
}

export async function updateApp(id: string, patch: AppPatch): Promise<AppAnswer> {
  const changed = await call(() => api.PATCH('/api/apps/{id}', { params: { path: { id } }, body: patch }));
  putApp(changed);
  return changed;
}
