// What the form holds while it is typed in: one shape for adding and for editing an app.
import type { AppAnswer, DatabaseEngine, DatabaseKind, JwtAlgorithm, PathAccess, Placement, SourceAccess, StartMode } from '../../api/schema';
import { type LimitName, type LimitValues, limitValues } from './limits';

export interface ConfigRow {
  /** Stays while the row is edited. */
  row: string;
  key: string;
  /** Null: a secret that the host has and does not show, or that a reload took. */
  value: string | null;
  secret: boolean;
  /** The host has a value under this key. */
  stored: boolean;
}

export interface SourceRow {
  row: string;
  name: string;
  place: 'app' | 'url';
  app: string;
  /** Null: one that the host has and does not show. */
  url: string | null;
  access: SourceAccess;
  stored: boolean;
}

export interface Draft {
  display_name: string;
  /** Empty: the host generates one. */
  id: string;
  /** False: the ID follows the name. */
  id_typed: boolean;
  /** A digest. */
  component: string | null;
  start_mode: StartMode;
  /** Who chooses where it runs. */
  placement: Placement;
  /** What was chosen; none where Lodge chooses. */
  environments: string[];
  /** Moves when its environment is lost. */
  failover: boolean;
  database: { kind: DatabaseKind; engine: DatabaseEngine | null; url: string | null };
  auto_upgrade: boolean;
  jwt: { independent: boolean; algorithm: JwtAlgorithm };
  domains: string[];
  path_access: PathAccess;
  limits: LimitValues;
  config: ConfigRow[];
  outbound_hosts: string[];
  data_sources: SourceRow[];
  tags: string[];
}

export type DraftField = keyof Draft;

let rows = 0;
/** A name for a row that is new in the form; other than those of a draft that was kept through a reload. */
export const newRow = () => `new-${Date.now().toString(36)}-${(rows += 1)}`;

export function emptyDraft(limits: Record<LimitName, number | null>): Draft {
  return {
    display_name: '',
    id: '',
    id_typed: false,
    component: null,
    start_mode: 'on_first_visit',
    placement: 'automatic',
    environments: [],
    failover: false,
    database: { kind: 'none', engine: null, url: '' },
    auto_upgrade: false,
    jwt: { independent: true, algorithm: 'HS256' },
    domains: [],
    path_access: 'serve',
    limits: { ...limits },
    config: [],
    outbound_hosts: [],
    data_sources: [],
    tags: [],
  };
}

/** An app as the form shows it. */
export function draftOf(app: AppAnswer): Draft {
  return {
    display_name: app.display_name,
    id: app.id,
    id_typed: true,
    component: app.component.digest,
    start_mode: app.start_mode,
    placement: app.placement ?? 'named',
    environments: app.placement === 'automatic' ? [] : app.environments,
    failover: app.failover ?? false,
    database: {
      kind: app.database.kind,
      engine: app.database.engine ?? null,
      url: app.database.kind === 'new_connection' ? null : '',
    },
    auto_upgrade: app.auto_upgrade,
    jwt: { independent: app.jwt.independent ?? true, algorithm: app.jwt.algorithm ?? 'HS256' },
    domains: app.domains,
    path_access: app.path_access,
    limits: limitValues(app.limits),
    config: Object.entries(app.config).map(([key, entry]) => ({
      row: `config-${key}`,
      key,
      value: entry.secret ? null : (entry.value ?? ''),
      secret: entry.secret ?? false,
      stored: true,
    })),
    outbound_hosts: app.outbound_hosts,
    data_sources: Object.entries(app.data_sources ?? {}).map(([name, source]) => ({
      row: `source-${name}`,
      name,
      place: source.app ? 'app' : 'url',
      app: source.app ?? '',
      url: source.app ? '' : null,
      access: source.access ?? 'read_only',
      stored: true,
    })),
    tags: app.tags ?? [],
  };
}
