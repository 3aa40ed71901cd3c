// Which columns there is room for.
import { type Column, COLUMNS } from './view';

/** Widths in pixels. The name takes what is left. */
export const WIDTHS: Record<Column, number> = {
  status: 156,
  component: 148,
  start: 120,
  requests: 106,
  cpu: 80,
  memory: 170,
  domains: 142,
  tags: 130,
  created: 120,
};
export const NAME_WIDTH = 200;
export const ACTIONS_WIDTH = 124;
export const SELECTION_WIDTH = 40;

/** Which columns come first where room is short. */
const IMPORTANCE: Column[] = ['status', 'memory', 'requests', 'component', 'cpu', 'domains', 'created', 'tags', 'start'];

/** The columns that fit into `width` pixels, the important ones first. */
export function fitting(width: number): Column[] {
  let room = width - NAME_WIDTH - ACTIONS_WIDTH - SELECTION_WIDTH;
  const chosen = new Set<Column>();
  for (const column of IMPORTANCE) {
    if (WIDTHS[column] > room) break;
    room -= WIDTHS[column];
    chosen.add(column);
  }
  return COLUMNS.filter((column) => chosen.has(column));
}

const STORED = 'lodge.apps.columns';

/** What was chosen in this browser the last time, for an address that says nothing. */
export const rememberedColumns = (): string | null => localStorage.getItem(STORED);

export function rememberColumns(columns: Column[] | null) {
  if (columns) localStorage.setItem(STORED, columns.join(','));
  else localStorage.removeItem(STORED);
}
