// From the form to the API: a new app, or what changed of one.
import type { AppPatch, ConfigChange, ConfigEntry, LimitsPatch, NewApp, SourceChange, SourceGrant } from '../../api/schema';
import type { ConfigRow, Draft, SourceRow } from './draft';
import { LIMIT_NAMES, type LimitValues } from './limits';

/** What is as the host would have it anyway is left out; `standard` are the limits that a new app gets. */
export function toNewApp(draft: Draft, standard: LimitValues): NewApp {
  const name = draft.display_name.trim();
  const app: NewApp = {
    component: { digest: draft.component },
    start_mode: draft.start_mode,
    database: toDatabase(draft.database),
    auto_upgrade: draft.auto_upgrade,
    jwt: toJwt(draft.jwt),
    domains: draft.domains,
    path_access: draft.path_access,
    limits: changedLimits(standard, draft.limits),
    config: Object.fromEntries(draft.config.map((row) => [row.key, toEntry(row)])),
    outbound_hosts: draft.outbound_hosts,
    data_sources: Object.fromEntries(draft.data_sources.map((row) => [row.name, toSource(row)])),
  };
  if (draft.placement === 'named') app.environments = draft.environments;
  if (draft.failover) app.failover = true;
  if (draft.id !== '') app.id = draft.id;
  if (name !== '') app.display_name = name;
  if (draft.tags.length > 0) app.tags = draft.tags;
  return app;
}

/** What must be said to turn `before` into `after`. */
export function patchOf(before: Draft, after: Draft): AppPatch {
  const patch: AppPatch = {};
  const name = after.display_name.trim();
  if (name !== before.display_name.trim()) patch.display_name = name;
  if (after.component !== before.component && after.component) patch.component = { digest: after.component };
  if (after.start_mode !== before.start_mode) patch.start_mode = after.start_mode;
  if (after.auto_upgrade !== before.auto_upgrade) patch.auto_upgrade = after.auto_upgrade;
  if (after.path_access !== before.path_access) patch.path_access = after.path_access;
  if (!same(namedIn(after), namedIn(before))) patch.environments = namedIn(after);
  if (after.failover !== before.failover) patch.failover = after.failover;
  if (!same(after.database, before.database)) patch.database = toDatabase(after.database);
  if (!same(after.jwt, before.jwt)) patch.jwt = toJwt(after.jwt);
  if (!same(after.domains, before.domains)) patch.domains = after.domains;
  if (!same(after.outbound_hosts, before.outbound_hosts)) patch.outbound_hosts = after.outbound_hosts;
  if (!same(after.tags, before.tags)) patch.tags = after.tags;
  const limits = changedLimits(before.limits, after.limits);
  if (!isEmpty(limits)) patch.limits = limits;
  const config = changedConfig(before.config, after.config);
  if (!isEmpty(config)) patch.config = config;
  const sources = changedSources(before.data_sources, after.data_sources);
  if (!isEmpty(sources)) patch.data_sources = sources;
  return patch;
}

export const isEmpty = (value: object) => Object.keys(value).length === 0;

/** The way back from `after` to `before`; null if it needs a secret that the host does not show, or a key that is gone. */
export function undoOf(before: Draft, after: Draft): AppPatch | null {
  const patch = patchOf(after, before);
  if (patch.jwt || (patch.database && patchOf(before, after).database?.url)) return null;
  if (patch.database && before.database.kind === 'new_connection') return null;
  const done = patchOf(before, after);
  const hiddenKeys = before.config.filter((row) => row.secret).map((row) => row.key);
  if (hiddenKeys.some((key) => done.config && key in done.config)) return null;
  const hiddenSources = before.data_sources.filter((row) => row.place === 'url').map((row) => row.name);
  const lost = hiddenSources.some((name) => {
    const change = done.data_sources?.[name];
    return change === null || change?.url || change?.app;
  });
  return lost ? null : patch;
}

/** As the API takes it: none where Lodge chooses. */
const namedIn = ({ placement, environments }: Draft) => (placement === 'named' ? environments : []);

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function toDatabase({ kind, engine, url }: Draft['database']) {
  if (kind === 'new_connection') return url ? { kind, url } : { kind };
  return kind === 'new_database' && engine ? { kind, engine } : { kind };
}

/** The host-wide key has one algorithm. */
function toJwt({ independent, algorithm }: Draft['jwt']) {
  return independent ? { independent, algorithm } : { independent };
}

export function changedLimits(before: LimitValues, after: LimitValues): LimitsPatch {
  return Object.fromEntries(LIMIT_NAMES.filter((name) => after[name] !== before[name]).map((name) => [name, after[name]]));
}

function toEntry({ value, secret }: ConfigRow): ConfigEntry {
  return { value, secret };
}

function changedConfig(before: ConfigRow[], after: ConfigRow[]): Record<string, ConfigChange> {
  const old = new Map(before.map((row) => [row.key, row]));
  const kept = new Set(after.map((row) => row.key));
  const changes: Record<string, ConfigChange> = {};
  for (const row of before) if (!kept.has(row.key)) changes[row.key] = null;
  for (const row of after) {
    const was = old.get(row.key);
    if (!was || was.value !== row.value || was.secret !== row.secret) changes[row.key] = toEntry(row);
  }
  return changes;
}

function toSource({ place, app, url, access }: SourceRow): SourceGrant {
  if (place === 'app') return { app, access };
  return url === null ? { access } : { url, access };
}

function changedSources(before: SourceRow[], after: SourceRow[]): Record<string, SourceChange> {
  const old = new Map(before.map((row) => [row.name, row]));
  const kept = new Set(after.map((row) => row.name));
  const changes: Record<string, SourceChange> = {};
  for (const row of before) if (!kept.has(row.name)) changes[row.name] = null;
  for (const row of after) {
    const was = old.get(row.name);
    if (!was || !same(toSource(was), toSource(row))) changes[row.name] = toSource(row);
  }
  return changes;
}
