// What the log's list holds: lines with keys of their own, at most as many as a page carries easily.
import type { LogLine } from '../../../api/schema';

/** Lines in the page at most. */
export const MOST = 2_000;

export interface Row {
  key: number;
  line: LogLine;
}

export interface Tail {
  /** Undefined until the first lines came. */
  rows: Row[] | undefined;
  /** Lines that came while paused, not shown yet. */
  held: Row[];
  paused: boolean;
  next: number;
  /** Lines that the host left out. */
  dropped: number;
}

export type TailEvent =
  | { type: 'lines'; lines: LogLine[] }
  | { type: 'dropped'; count: number }
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'clear' };

export const EMPTY: Tail = { rows: undefined, held: [], paused: false, next: 0, dropped: 0 };

export function advance(tail: Tail, event: TailEvent): Tail {
  switch (event.type) {
    case 'lines': {
      const added = event.lines.map((line, index) => ({ key: tail.next + index, line }));
      const next = tail.next + added.length;
      // The first lines are shown even so: paused is what comes after.
      if (tail.paused && tail.rows) return { ...tail, next, held: capped([...tail.held, ...added]) };
      if (tail.rows && added.length === 0) return tail;
      return { ...tail, next, rows: capped([...(tail.rows ?? []), ...added]) };
    }
    case 'dropped':
      return { ...tail, dropped: tail.dropped + event.count };
    case 'pause':
      return { ...tail, paused: true };
    case 'resume':
      return { ...tail, paused: false, rows: capped([...(tail.rows ?? []), ...tail.held]), held: [] };
    case 'clear':
      return { ...EMPTY, paused: tail.paused, next: tail.next };
  }
}

function capped(rows: Row[]): Row[] {
  return rows.length > MOST ? rows.slice(-MOST) : rows;
}
