// What of the activity is shown, as it stands in the address.
import type { ActivityFilter } from '../../api/activity';
import type { AuditEvent } from '../../api/schema';

export const FIELDS = ['search', 'app', 'actor', 'action', 'result'] as const;
export type Field = (typeof FIELDS)[number];

/** The API takes so many characters of a search. */
export const MAX_SEARCH = 200;

export function filterOf(query: URLSearchParams): ActivityFilter {
  const filter: ActivityFilter = {};
  for (const field of FIELDS) {
    const value = query.get(field)?.trim();
    if (value) filter[field] = field === 'search' ? value.slice(0, MAX_SEARCH) : value;
  }
  return filter;
}

export const isEmpty = (filter: ActivityFilter) => Object.keys(filter).length === 0;

/** The entries by the day of this place on which they were made, in the order they come. */
export function byDay(events: readonly AuditEvent[]): { start: number; events: AuditEvent[] }[] {
  const days: { start: number; events: AuditEvent[] }[] = [];
  for (const event of events) {
    const start = new Date(event.time).setHours(0, 0, 0, 0);
    const last = days.at(-1);
    last?.start === start ? last.events.push(event) : days.push({ start, events: [event] });
  }
  return days;
}
