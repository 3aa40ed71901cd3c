// All rules over the whole form: which field breaks which.
import type { DatabaseEngine } from '../../api/schema';
import type { Draft, DraftField } from './draft';
import { isOptional, LIMIT_NAMES, LIMITS } from './limits';
import * as rules from './rules';

export type BrokenFields = Record<string, rules.Broken>;

/** What the rules need to know beyond the form; while something is not known yet, the host's own check is left to tell. */
export interface Known {
  /** The make of the host's database service. */
  service?: DatabaseEngine;
  /** The interfaces that the chosen component imports. */
  imports?: readonly string[];
}

/** The paths are those that fields have in the form: `limits.memory_bytes`, `config[2].key`, `domains[0]`. */
export function checkDraft(draft: Draft, fields?: readonly DraftField[], known: Known = {}): BrokenFields {
  const broken: BrokenFields = {};
  const put = (path: string, rule: rules.Broken | null) => {
    if (rule && !(path in broken)) broken[path] = rule;
  };
  const each = (field: 'domains' | 'outbound_hosts' | 'tags', check: (text: string) => rules.Broken | null, most: number) => {
    draft[field].forEach((text, index) => put(`${field}[${index}]`, check(text)));
    if (draft[field].length > most) put(field, { rule: 'too_many', values: { most } });
  };
  const checks: Partial<Record<DraftField, () => void>> = {
    display_name: () => put('display_name', draft.display_name.trim() === '' ? { rule: 'name_empty' } : rules.checkName(draft.display_name)),
    id: () => put('id', rules.checkId(draft.id)),
    component: () => {
      put('component', draft.component ? null : { rule: 'component_empty' });
      // Where only the component is changed, what it would have to run with cannot be.
      const elsewhere = fields && !fields.includes('environments');
      if (elsewhere && (isInSeveral(draft) || draft.failover) && localData(draft, known) === 'keyvalue') put('component', { rule: 'component_keyvalue' });
    },
    database: () => {
      const { kind, url } = draft.database;
      if (kind === 'new_connection' && url !== null) put('database.url', rules.checkDatabaseUrl(url));
    },
    environments: () => checkPlaces(draft, put, known),
    failover: () => {
      const local = draft.failover && localData(draft, known);
      if (local) put('failover', { rule: local === 'keyvalue' ? 'failover_keyvalue' : 'failover_local' });
    },
    domains: () => each('domains', rules.checkDomain, 100),
    outbound_hosts: () => each('outbound_hosts', rules.checkOutboundHost, 1_000),
    tags: () => each('tags', rules.checkTag, 16),
    limits: () => checkLimits(draft, put),
    config: () => checkConfig(draft, put),
    data_sources: () => checkSources(draft, put),
  };
  for (const [field, check] of Object.entries(checks)) if (!fields || fields.includes(field as DraftField)) check();
  return broken;
}

/**
 * Which of an app's data are a file of the environment that it runs in (host/supervisor/src/placement.rs). A key-value
 * space is one wherever the database is, so it is told first: another database would not help.
 */
export function localData({ database: { kind, engine } }: Pick<Draft, 'database'>, { service, imports }: Known): 'keyvalue' | 'database' | null {
  if (imports?.some((name) => name.includes('keyvalue/'))) return 'keyvalue';
  return kind === 'new_database' && (engine ?? service ?? 'sqlite') === 'sqlite' ? 'database' : null;
}

const isInSeveral = ({ placement, environments }: Draft) => placement === 'named' && environments.length > 1;

function checkPlaces(draft: Draft, put: Put, known: Known) {
  if (draft.placement !== 'named') return;
  if (draft.environments.length === 0) put('environments', { rule: 'environments_empty' });
  const local = isInSeveral(draft) && localData(draft, known);
  if (local) put('environments', { rule: local === 'keyvalue' ? 'environments_keyvalue' : 'environments_local' });
}

type Put = (path: string, rule: rules.Broken | null) => void;

function checkLimits({ limits }: Draft, put: Put) {
  for (const name of LIMIT_NAMES) {
    const value = limits[name];
    const { min, max } = LIMITS[name];
    const path = `limits.${name}`;
    if (value === null) put(path, isOptional(name) ? null : { rule: 'limit_empty' });
    else if (value < min || value > max) put(path, { rule: 'limit_range', values: { name, min, max } });
  }
  if ((limits.instance_memory_bytes ?? 0) > (limits.memory_bytes ?? 0)) put('limits.instance_memory_bytes', { rule: 'limit_instance' });
}

function checkConfig({ config }: Draft, put: Put) {
  const seen = new Set<string>();
  config.forEach((row, index) => {
    put(`config[${index}].key`, rules.checkConfigKey(row.key));
    if (seen.has(row.key)) put(`config[${index}].key`, { rule: 'key_twice', values: { key: row.key } });
    seen.add(row.key);
    // The host keeps a secret as it is, while it stays secret; one that a reload took has to be typed again.
    if (row.value === null && !(row.secret && row.stored)) put(`config[${index}].value`, { rule: 'value_again' });
    if (row.value !== null) put(`config[${index}].value`, rules.checkConfigValue(row.value));
  });
  if (config.length > 1_000) put('config', { rule: 'too_many', values: { most: 1_000 } });
}

function checkSources({ data_sources, id }: Draft, put: Put) {
  const seen = new Set<string>();
  data_sources.forEach((row, index) => {
    const path = `data_sources[${index}]`;
    put(`${path}.name`, rules.checkSourceName(row.name));
    if (seen.has(row.name)) put(`${path}.name`, { rule: 'key_twice', values: { key: row.name } });
    seen.add(row.name);
    if (row.place === 'url') put(`${path}.url`, row.url === null ? null : rules.checkDatabaseUrl(row.url));
    else if (row.app === '') put(`${path}.app`, { rule: 'source_app' });
    else if (row.app === id) put(`${path}.app`, { rule: 'source_self' });
  });
  if (data_sources.length > 32) put('data_sources', { rule: 'too_many', values: { most: 32 } });
}
