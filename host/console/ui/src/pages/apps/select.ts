// Which apps are shown and in which order.
import type { AppAnswer, AppUsage, Status } from '../../api/schema';
import { observations } from '../../components/observations';
import { FACETS, type Facet, type Filters, type Sort, STATUSES, type View } from './view';

export type Usage = ReadonlyMap<string, AppUsage>;

/** An option of a filter, and how many apps it would show beside the other filters. */
export interface Option {
  value: string;
  count: number;
}

/** A share of CPU turns above which an app is called throttled. */
const THROTTLED = 0.2;
/** A share of the memory budget above which it is nearly full. */
const NEARLY_FULL = 0.85;

/** The app's tags; a host of an earlier version has none. */
export const tagsOf = (app: AppAnswer): string[] => app.tags ?? [];

export const isThrottled = (usage: AppUsage | undefined): boolean => (usage?.throttled ?? 0) > THROTTLED;

/** How full the app's memory budget is, 0 to 1 and beyond. */
export function memoryShare(app: AppAnswer, usage: AppUsage | undefined): number {
  const budget = app.limits.memory_bytes;
  return budget ? (usage?.memory_bytes ?? 0) / budget : 0;
}

export const isNearlyFull = (share: number): boolean => share > NEARLY_FULL;

/** The apps that a view shows, in its order. */
export function select(apps: AppAnswer[], view: View, usage: Usage | undefined, language: string): AppAnswer[] {
  const found = search(apps, view.search).filter((app) => passes(app, view.filters));
  return order(found, view.sort, view.descending, usage, language);
}

/** The options of each filter with their counts, most first; what is chosen is always among them. */
export function facets(apps: AppAnswer[], view: View): Record<Facet, Option[]> {
  const found = search(apps, view.search);
  const entries = FACETS.map((facet) => {
    const counts = new Map<string, number>(apps.flatMap((app) => values(app, facet)).map((value) => [value, 0]));
    for (const value of view.filters[facet]) counts.set(value, 0);
    for (const app of found.filter((one) => passes(one, view.filters, facet))) {
      for (const value of values(app, facet)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const options = [...counts].map(([value, count]) => ({ value, count }));
    const byName = (a: Option, b: Option) => a.value.localeCompare(b.value);
    options.sort(facet === 'status' ? (a, b) => rank(a.value) - rank(b.value) : byName);
    return [facet, options] as const;
  });
  return Object.fromEntries(entries) as Record<Facet, Option[]>;
}

/** Lower case without accents, so that `cafe` finds `Café`. */
export const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

function search(apps: AppAnswer[], text: string): AppAnswer[] {
  const words = plain(text).split(/\s+/).filter(Boolean);
  if (words.length === 0) return apps;
  return apps.filter((app) => {
    const { named, versioned } = haystack(app);
    return words.every((word) => named.includes(word) || (word.length >= VERSION_LETTERS && versioned.includes(word)));
  });
}

/** Versions may be hashes, in which any one letter or digit is found. */
const VERSION_LETTERS = 3;

interface Haystack {
  named: string;
  versioned: string;
}

/** Apps in the cache are replaced, never changed, so what was made of one stays right. */
const haystacks = new WeakMap<AppAnswer, Haystack>();

function haystack(app: AppAnswer): Haystack {
  let hay = haystacks.get(app);
  if (hay === undefined) {
    const { name, version } = app.component;
    hay = { named: plain([app.id, app.display_name, name, ...app.domains, ...tagsOf(app)].join('\n')), versioned: plain(version) };
    haystacks.set(app, hay);
  }
  return hay;
}

function values(app: AppAnswer, facet: Facet): string[] {
  switch (facet) {
    case 'status':
      return [...new Set(observations(app).map((one) => one.status))];
    case 'environment':
      return app.environments;
    case 'component':
      return [app.component.name];
    case 'tag':
      return tagsOf(app);
  }
}

function passes(app: AppAnswer, filters: Filters, except?: Facet): boolean {
  return FACETS.every((facet) => {
    const wanted = filters[facet];
    return facet === except || wanted.length === 0 || values(app, facet).some((value) => wanted.includes(value));
  });
}

const rank = (status: string) => STATUSES.indexOf(status as Status);

function order(apps: AppAnswer[], sort: Sort, descending: boolean, usage: Usage | undefined, language: string): AppAnswer[] {
  const { compare } = new Intl.Collator(language, { numeric: true, sensitivity: 'base' });
  const byName = (a: AppAnswer, b: AppAnswer) => compare(a.display_name, b.display_name) || compare(a.id, b.id);
  const key = sortKey(sort, usage);
  const way = descending ? -1 : 1;
  const keyed = apps.map((app) => ({ app, key: key(app) }));
  keyed.sort((a, b) => {
    // What has no value comes last, whichever the direction.
    if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null) || byName(a.app, b.app);
    const difference = typeof a.key === 'number' ? a.key - (b.key as number) : compare(a.key, b.key as string);
    return way * difference || (sort === 'name' ? way : 1) * byName(a.app, b.app);
  });
  return keyed.map((one) => one.app);
}

function sortKey(sort: Sort, usage: Usage | undefined): (app: AppAnswer) => string | number | null {
  switch (sort) {
    case 'name':
      return (app) => app.display_name;
    case 'status':
      return (app) => Math.min(...observations(app).map((one) => rank(one.status)));
    case 'component':
      return (app) => `${app.component.name} ${app.component.version}`;
    case 'start':
      return (app) => app.start_mode;
    case 'requests':
      return (app) => usage?.get(app.id)?.requests_per_minute ?? 0;
    case 'cpu':
      return (app) => usage?.get(app.id)?.cpu_cores ?? 0;
    case 'memory':
      return (app) => memoryShare(app, usage?.get(app.id));
    case 'domains':
      return (app) => app.domains[0] ?? null;
    case 'created':
      return (app) => app.created_at;
  }
}
