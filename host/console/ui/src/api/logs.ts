// An app's log: its newest lines, and those that follow as they are written.
import { api, call } from './client';
import type { LogLevel, LogLine, LogSource } from './schema';

export interface LogFilter {
  /** At least as grave. */
  level?: LogLevel;
  source?: LogSource;
  search?: string;
  /** Of this request only. */
  request?: string;
}

/** Lines read at first, and by each poll. */
const NEWEST = 500;
const POLL_MS = 2_000;
/** After the event stream was cut it is tried again this much later; meanwhile lines are polled. */
const RETRY_MS = 15_000;

const GRAVITY: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** The message, and its fields after it: `name=value`, in the order of their names, as the host searches them. */
export const textOf = (line: LogLine) => [line.message, fieldsText(line)].filter(Boolean).join(' ');

export function fieldsText({ fields }: LogLine): string {
  const shown = (value: unknown) => (typeof value === 'string' ? word(value) : JSON.stringify(value));
  return Object.keys(fields ?? {}).sort().map((name) => `${word(name)}=${shown(fields?.[name])}`).join(' ');
}

/** As it is if nobody could take it for something else, in quotes if not. */
const word = (text: string) => (/^[^\p{White_Space}\p{Cc}"=]+$/u.test(text) ? text : JSON.stringify(text));

/** Whether a filter lets a line through, as the host sees it. */
export function matches(line: LogLine, filter: LogFilter): boolean {
  if (filter.level && GRAVITY[line.level] < GRAVITY[filter.level]) return false;
  if (filter.source && line.source !== filter.source) return false;
  if (filter.request && line.request !== filter.request) return false;
  return !filter.search || textOf(line).toLowerCase().includes(filter.search.toLowerCase());
}

/** The newest lines, oldest first. */
export async function newestLines(id: string, filter: LogFilter): Promise<LogLine[]> {
  const list = await call(() => api.GET('/api/apps/{id}/logs', { params: { path: { id }, query: { limit: NEWEST, ...filter } } }));
  return list.items.filter((line) => matches(line, filter));
}

export const downloadPath = (id: string) => `/api/apps/${encodeURIComponent(id)}/logs/download`;

/** Lines of `fetched` that are not among `known`. Lines that are the same are told apart by their number. */
export function newer(known: LogLine[], fetched: LogLine[]): LogLine[] {
  const counts = new Map<string, number>();
  for (const line of known) counts.set(identity(line), (counts.get(identity(line)) ?? 0) + 1);
  return fetched.filter((line) => {
    const left = counts.get(identity(line)) ?? 0;
    counts.set(identity(line), left - 1);
    return left <= 0;
  });
}

const identity = (line: LogLine) => `${line.time} ${line.source} ${line.request} ${textOf(line)}`;

export interface Listener {
  /** Lines in order; the first call has the newest ones there are. */
  onLines: (lines: LogLine[]) => void;
  /** So many lines were left out, because this page was too slow. */
  onDropped: (count: number) => void;
  /** `polling`: the event stream is cut. */
  onLink: (link: 'live' | 'polling') => void;
  onError: (error: unknown) => void;
}

/** Follows a log until the function it returns is called: by the event stream, or by polling while that fails. */
export function follow(id: string, filter: LogFilter, listener: Listener): () => void {
  let over = false;
  /** The newest lines given out, more than one reading has, for finding what is newer. */
  let known: LogLine[] = [];
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let retryAt = 0;
  let openedAt = 0;

  const give = (lines: LogLine[]) => {
    known = [...known, ...lines].slice(-2 * NEWEST);
    listener.onLines(lines);
  };

  /** Lines that were read and that the stream may still bring, too. */
  let ahead: LogLine[] = [];
  const hear = (line: LogLine) => {
    const at = ahead.findIndex((one) => identity(one) === identity(line));
    if (at >= 0) {
      ahead = ahead.slice(at + 1);
      return;
    }
    if (line.time > (ahead.at(-1)?.time ?? 0)) ahead = [];
    give([line]);
  };

  /** Reads what was written since; lines that the stream brings meanwhile wait in `held`. */
  let held: LogLine[] | undefined;
  let catching: Promise<void> | undefined;
  const catchUp = () => (catching ??= readNewest().finally(() => (catching = undefined)));
  const readNewest = async () => {
    held = [];
    try {
      const fetched = await newestLines(id, filter);
      if (over) return;
      give(newer(known, fetched));
      ahead = fetched;
    } catch (error) {
      if (!over) listener.onError(error);
    } finally {
      const waiting = held;
      held = undefined;
      if (!over) waiting?.forEach(hear);
    }
  };

  const poll = async () => {
    await catchUp();
    if (over) return;
    Date.now() >= retryAt ? open() : (timer = setTimeout(() => void poll(), POLL_MS));
  };

  const open = () => {
    const { level, source: from, search } = filter;
    const wanted = Object.entries({ level, source: from, search }).filter((one): one is [string, string] => !!one[1]);
    source = new EventSource(`/api/apps/${encodeURIComponent(id)}/logs/live?${new URLSearchParams(wanted)}`);
    source.onopen = () => {
      openedAt = Date.now();
      listener.onLink('live');
      // What was written between the reading under way and now is in neither.
      void Promise.resolve(catching).then(() => (over ? undefined : catchUp()));
    };
    source.onerror = () => {
      source?.close();
      if (over) return;
      listener.onLink('polling');
      // The host ends each stream after a while: one that had held is opened again at once.
      retryAt = openedAt + RETRY_MS <= Date.now() && openedAt > 0 ? 0 : Date.now() + RETRY_MS;
      openedAt = 0;
      void poll();
    };
    source.addEventListener('line', (event: MessageEvent<string>) => {
      const line = JSON.parse(event.data) as LogLine;
      if (!matches(line, filter)) return;
      held ? held.push(line) : hear(line);
    });
    source.addEventListener('dropped', (event: MessageEvent<string>) => {
      listener.onDropped((JSON.parse(event.data) as { count: number }).count);
    });
  };

  // At once, too: a proxy may hold back the stream until its first event.
  void catchUp();
  open();
  return () => {
    over = true;
    source?.close();
    clearTimeout(timer);
  };
}
