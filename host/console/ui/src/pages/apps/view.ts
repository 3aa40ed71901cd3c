// What the page shows, as its address has it: ?q=shop&status=failed&tag=live&sort=-cpu&columns=status,cpu
import type { Status } from '../../api/schema';

/** All columns that can be chosen, in their order; the name and the actions are always there. */
export const COLUMNS = ['status', 'component', 'start', 'requests', 'cpu', 'memory', 'domains', 'tags', 'created'] as const;
export type Column = (typeof COLUMNS)[number];

export const SORTS = ['name', 'status', 'component', 'start', 'requests', 'cpu', 'memory', 'domains', 'created'] as const;
export type Sort = (typeof SORTS)[number];

export const FACETS = ['status', 'environment', 'component', 'tag'] as const;
export type Facet = (typeof FACETS)[number];

/** The statuses, the one that asks for somebody first. */
export const STATUSES: Status[] = ['failed', 'unknown', 'preparing', 'starting', 'stopping', 'running', 'waiting', 'stopped'];

export type Filters = Record<Facet, string[]>;

export interface View {
  search: string;
  filters: Filters;
  sort: Sort;
  descending: boolean;
  /** Null: as many as there is room for. */
  columns: Column[] | null;
}

/** Reads an address. What is not understood is left out. */
export function parseView(params: URLSearchParams): View {
  const [sort, descending] = parseSort(params.get('sort'));
  const status = params.getAll('status').filter((one) => (STATUSES as string[]).includes(one));
  return {
    search: params.get('q') ?? '',
    filters: { status: unique(status), environment: all(params, 'environment'), component: all(params, 'component'), tag: all(params, 'tag') },
    sort,
    descending,
    columns: parseColumns(params.get('columns')),
  };
}

/** Writes a view into an address, over what else stands in it; what is as usual is left out. */
export function writeView(view: View, params: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const name of ['q', 'sort', 'columns', ...FACETS]) next.delete(name);
  if (view.search) next.set('q', view.search);
  for (const facet of FACETS) for (const value of view.filters[facet]) next.append(facet, value);
  if (view.sort !== 'name' || view.descending) next.set('sort', `${view.descending ? '-' : ''}${view.sort}`);
  if (view.columns) next.set('columns', view.columns.join(','));
  return next;
}

/** Columns as they are kept in text; null where there are none. An empty text is a choice of none. */
export function parseColumns(text: string | null): Column[] | null {
  if (text === null) return null;
  const named = text.split(',');
  return COLUMNS.filter((column) => named.includes(column));
}

export const NO_FILTERS: Filters = { status: [], environment: [], component: [], tag: [] };

export function isFiltered({ search, filters }: View): boolean {
  return search.trim() !== '' || FACETS.some((facet) => filters[facet].length > 0);
}

function parseSort(text: string | null): [Sort, boolean] {
  const descending = text?.startsWith('-') ?? false;
  const name = descending ? text?.slice(1) : text;
  const sort = SORTS.find((one) => one === name);
  return sort ? [sort, descending] : ['name', false];
}

const all = (params: URLSearchParams, name: string) => unique(params.getAll(name).filter(Boolean));
const unique = (values: string[]) => [...new Set(values)];
