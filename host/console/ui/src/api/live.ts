// What happens on the host, as it happens: one event stream a page, and polling while there is none.
import { useEffect, useSyncExternalStore } from 'react';
import { keys, queryClient } from './queries';
import type { AppAnswer, Component, EnvironmentInfo, LiveEvent, Observed } from './schema';
import { api } from './client';
import { session } from './session';

export type Liveness = 'connecting' | 'live' | 'polling';

/** How often lists are read while no event stream is open. */
const POLL_MS = 5_000;
const RETRY_MS = [1_000, 2_000, 5_000, 10_000];

let liveness: Liveness = 'connecting';
const listeners = new Set<() => void>();

function become(next: Liveness) {
  if (next === liveness) return;
  liveness = next;
  for (const listener of listeners) listener();
}

export function useLiveness(): Liveness {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, () => liveness);
}

/** The `refetchInterval` of a query that live events keep fresh. */
export function usePolling(): number | false {
  return useLiveness() === 'polling' ? POLL_MS : false;
}

/** Keeps the cache fresh while the page is open. Used once, by the shell. */
export function useLiveUpdates() {
  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    const open = () => {
      source = new EventSource('/api/events');
      source.onopen = () => {
        // What happened meanwhile was missed.
        if (failures > 0) void queryClient.invalidateQueries();
        failures = 0;
        become('live');
      };
      source.onerror = () => {
        source?.close();
        become('polling');
        const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
        failures += 1;
        timer = setTimeout(open, wait);
      };
      for (const type of ['component', 'component_removed', 'app_changed', 'app_removed', 'observed', 'operation', 'environment', 'environment_removed'] as const) {
        source.addEventListener(type, (event: MessageEvent<string>) => apply(JSON.parse(event.data) as LiveEvent));
      }
      source.addEventListener('lagged', () => void queryClient.invalidateQueries());
    };
    open();
    return () => {
      source?.close();
      clearTimeout(timer);
    };
  }, []);
}

/** Brings the cache up to what an event says. */
export function apply(event: LiveEvent) {
  if ('app' in event) told.set(event.app, (told.get(event.app) ?? 0) + 1);
  switch (event.type) {
    case 'observed':
      return changeApp(event.app, (app) => ({ ...app, observed: replace(app.observed ?? [], event.observed) }));
    case 'app_changed':
      return void rereadApp(event.app);
    case 'app_removed':
      queryClient.setQueryData<AppAnswer[]>(keys.apps, (apps) => apps?.filter((app) => app.id !== event.app));
      return void queryClient.invalidateQueries({ queryKey: keys.app(event.app) });
    case 'component':
      return changeComponent(event.component);
    case 'component_removed':
      queryClient.setQueryData<Component[]>(keys.components, (all) => all?.filter((one) => one.digest !== event.digest));
      return;
    case 'environment':
      return putEnvironment(event.environment);
    case 'environment_removed':
      queryClient.setQueryData<EnvironmentInfo[]>(keys.environments, (all) => all?.filter((one) => one.name !== event.environment));
      return;
    case 'operation':
      queryClient.setQueryData(['operation', event.operation.id], event.operation);
      return void queryClient.invalidateQueries({ queryKey: keys.appPart(event.operation.app, 'events') });
  }
}

function replace(all: Observed[], one: Observed): Observed[] {
  return [...all.filter((other) => other.environment !== one.environment), one];
}

function changeApp(id: string, change: (app: AppAnswer) => AppAnswer) {
  queryClient.setQueryData<AppAnswer[]>(keys.apps, (apps) => apps?.map((app) => (app.id === id ? change(app) : app)));
  queryClient.setQueryData<AppAnswer>(keys.app(id), (app) => app && change(app));
}

function changeComponent(component: Component) {
  queryClient.setQueryData<Component[]>(keys.components, (all) => {
    if (!all) return all;
    const known = all.some((one) => one.digest === component.digest);
    return known ? all.map((one) => (one.digest === component.digest ? component : one)) : [component, ...all];
  });
}

/** Puts an environment as an answer or an event had it into the cache. */
export function putEnvironment(environment: EnvironmentInfo) {
  queryClient.setQueryData<EnvironmentInfo[]>(keys.environments, (all) => {
    if (!all) return all;
    const known = all.some((one) => one.name === environment.name);
    if (known) return all.map((one) => (one.name === environment.name ? environment : one));
    return [...all, environment].sort((a, b) => a.name.localeCompare(b.name));
  });
}

/** Events about an app of each ID so far: an answer that was asked for before one of them may be older than it. */
const told = new Map<string, number>();
/** Times that such an answer is asked for again; then it is taken as it is. */
const TRIES = 5;

async function rereadApp(id: string) {
  for (let left = TRIES; left > 0 && session.get() === 'in'; left--) {
    const before = told.get(id);
    const { data } = await api.GET('/api/apps/{id}', { params: { path: { id } } }).catch(() => ({ data: undefined }));
    if (told.get(id) !== before && left > 1) continue;
    if (data) putApp(data);
    return;
  }
}

/** Puts an app as an answer had it into the cache. */
export function putApp(app: AppAnswer) {
  queryClient.setQueryData<AppAnswer>(keys.app(app.id), app);
  queryClient.setQueryData<AppAnswer[]>(keys.apps, (apps) => {
    if (!apps) return apps;
    const known = apps.some((one) => one.id === app.id);
    return known ? apps.map((one) => (one.id === app.id ? app : one)) : [app, ...apps];
  });
}
