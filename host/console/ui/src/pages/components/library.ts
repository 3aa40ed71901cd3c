// The library as the page shows it: grouped by name, filtered, and who uses what.
import type { AppAnswer, Component, ComponentStatus } from '../../api/schema';

export interface Filter {
  search: string;
  status: ComponentStatus | null;
}

export interface Group {
  name: string;
  /** Newest first. */
  versions: Component[];
}

export const STATUSES: readonly ComponentStatus[] = ['ready', 'compiling', 'queued', 'failed'];

export function statusOf(text: string | null): ComponentStatus | null {
  return STATUSES.find((status) => status === text) ?? null;
}

/** Components that match, by name. The search looks at name, version, digest and description. */
export function groupLibrary(components: readonly Component[], { search, status }: Filter): Group[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, Component[]>();
  for (const one of components) {
    if (status && one.status !== status) continue;
    const text = `${one.name} ${one.version} ${one.digest} ${one.metadata.description ?? ''}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    const versions = groups.get(one.name);
    versions ? versions.push(one) : groups.set(one.name, [one]);
  }
  return [...groups]
    .map(([name, versions]) => ({ name, versions: versions.sort((a, b) => b.created_at - a.created_at) }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** The apps of each component, by its digest. */
export function usersOf(apps: readonly AppAnswer[]): Map<string, AppAnswer[]> {
  const users = new Map<string, AppAnswer[]>();
  for (const app of apps) {
    const known = users.get(app.component.digest);
    known ? known.push(app) : users.set(app.component.digest, [app]);
  }
  return users;
}

/** The address in a component's metadata, if it is one that is safe to link to. */
export function linkOf(text: string | undefined): string | null {
  if (!text || !URL.canParse(text)) return null;
  const url = new URL(text);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
}
