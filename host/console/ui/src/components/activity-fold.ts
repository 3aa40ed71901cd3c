import type { AuditEvent } from '../api/schema';

/**
 * Entries without those that say an operation was accepted where its end is among them too: one line says
 * both, with the address from which it was asked for. An operation that still runs, or whose end was filtered
 * out, keeps its entry.
 */
export function foldOperations(events: AuditEvent[]): AuditEvent[] {
  const ended = new Set(events.filter(isEnd).map((event) => event.operation));
  const asked = new Map(events.filter((event) => event.result === 'accepted').map((event) => [event.operation, event.address]));
  return events
    .filter((event) => event.result !== 'accepted' || !event.operation || !ended.has(event.operation))
    .map((event) => (isEnd(event) && !event.address ? { ...event, address: asked.get(event.operation) ?? null } : event));
}

const isEnd = (event: AuditEvent) => !!event.operation && event.result !== 'accepted';

/** The actions that the host writes down, for filters; there may be others. */
export const ACTIONS = [
  'app.create',
  'app.start',
  'app.stop',
  'app.restart',
  'app.update',
  'app.rotate_key',
  'app.clear_migration',
  'app.delete',
  'component.upload',
  'component.remove',
  'jwt.rotate',
  'session.create',
  'session.remove',
  'user.password',
  'token.create',
  'token.remove',
  'settings.update',
  'environment.cordon',
  'environment.uncordon',
  'environment.drain',
  'environment.remove',
] as const;

export const RESULTS = ['succeeded', 'failed', 'refused', 'accepted', 'superseded'] as const;
