import { describe, expect, it } from 'vitest';
import { checkDraft } from './check';
import { patchOf, toNewApp, undoOf } from './convert';
import { type Draft, type DraftField, draftOf, emptyDraft } from './draft';
import { app } from './fixture';
import { keepDraft, keptDraft, withoutSecrets } from './keep';
import { presetOf, presetValues, STANDARD } from './limits';

const before = draftOf(app);
const changed = (part: Partial<Draft>): Draft => ({ ...before, ...part });
const row = (key: string, part: object) => before.config.map((one) => (one.key === key ? { ...one, ...part } : one));
const source = (name: string, part: object) => before.data_sources.map((one) => (one.name === name ? { ...one, ...part } : one));

describe('a new app', () => {
  it('needs a name and a component only', () => {
    const sent = toNewApp({ ...emptyDraft(STANDARD), display_name: ' Shop ', component: 'aa' }, STANDARD);
    expect(sent).toEqual({
      display_name: 'Shop',
      component: { digest: 'aa' },
      start_mode: 'on_first_visit',
      database: { kind: 'none' },
      auto_upgrade: false,
      jwt: { independent: true, algorithm: 'HS256' },
      domains: [],
      path_access: 'serve',
      limits: {},
      config: {},
      outbound_hosts: [],
      data_sources: {},
    });
  });
  it('has all that was typed', () => {
    const draft: Draft = {
      ...emptyDraft(STANDARD),
      id: 'shop',
      component: 'aa',
      database: { kind: 'new_connection', engine: null, url: 'postgres://u@h/d' },
      jwt: { independent: false, algorithm: 'HS256' },
      limits: { ...STANDARD, cpu_cores: 0.5 },
      config: [{ row: 'x', key: 'K', value: 'v', secret: true, stored: false }],
      data_sources: [{ row: 'y', name: 'orders', place: 'app', app: 'other', url: '', access: 'read_write', stored: false }],
      tags: ['t'],
    };
    expect(toNewApp(draft, STANDARD)).toMatchObject({
      id: 'shop',
      database: { kind: 'new_connection', url: 'postgres://u@h/d' },
      jwt: { independent: false },
      limits: { cpu_cores: 0.5 },
      config: { K: { value: 'v', secret: true } },
      data_sources: { orders: { app: 'other', access: 'read_write' } },
      tags: ['t'],
    });
  });
});

describe('what changed', () => {
  it('is nothing at first', () => {
    expect(patchOf(before, draftOf(app))).toEqual({});
  });
  it('is sent alone', () => {
    expect(patchOf(before, changed({ display_name: 'New', tags: [] }))).toEqual({ display_name: 'New', tags: [] });
    expect(patchOf(before, changed({ limits: { ...before.limits, cpu_cores: 2 } }))).toEqual({ limits: { cpu_cores: 2 } });
    expect(patchOf(before, changed({ jwt: { independent: false, algorithm: 'HS256' } }))).toEqual({ jwt: { independent: false } });
  });
  it('of the configuration goes key by key', () => {
    expect(patchOf(before, changed({ config: row('GREETING', { value: 'hello' }) })).config).toEqual({ GREETING: { value: 'hello', secret: false } });
    expect(patchOf(before, changed({ config: row('GREETING', { key: 'HI' }) })).config).toEqual({ GREETING: null, HI: { value: 'hi', secret: false } });
    expect(patchOf(before, changed({ config: [] })).config).toEqual({ GREETING: null, KEY: null });
    // Becoming secret, the value is sent along; a secret that is not touched is not sent.
    expect(patchOf(before, changed({ config: row('GREETING', { secret: true }) })).config).toEqual({ GREETING: { value: 'hi', secret: true } });
  });
  it('of data sources goes name by name, and keeps URLs that are not shown', () => {
    expect(patchOf(before, changed({ data_sources: source('archive', { access: 'read_only' }) })).data_sources).toEqual({ archive: { access: 'read_only' } });
    expect(patchOf(before, changed({ data_sources: source('orders', { place: 'url', url: 'mysql://h/d' }) })).data_sources).toEqual({
      orders: { url: 'mysql://h/d', access: 'read_only' },
    });
    expect(patchOf(before, changed({ data_sources: [] })).data_sources).toEqual({ orders: null, archive: null });
  });
  it('of the database is its whole', () => {
    expect(patchOf(before, changed({ database: { kind: 'none', engine: null, url: '' } })).database).toEqual({ kind: 'none' });
    expect(patchOf(before, changed({ database: { kind: 'new_connection', engine: null, url: 'mysql://h/d' } })).database).toEqual({
      kind: 'new_connection',
      url: 'mysql://h/d',
    });
  });
});

describe('where it runs', () => {
  const empty = { ...emptyDraft(STANDARD), display_name: 'Shop', component: 'aa' };
  it('is said only where it was chosen', () => {
    const named = toNewApp({ ...empty, placement: 'named', environments: ['a', 'b'], failover: true }, STANDARD);
    expect(named).toMatchObject({ environments: ['a', 'b'], failover: true });
    expect('environments' in toNewApp(empty, STANDARD)).toBe(false);
  });
  it('is left to the host by an empty list, and taken back again', () => {
    const after = changed({ placement: 'automatic', environments: [] });
    expect(patchOf(before, after)).toEqual({ environments: [] });
    expect(undoOf(before, after)).toEqual({ environments: ['local'] });
    expect(patchOf(before, changed({ failover: true }))).toEqual({ failover: true });
  });
  it('of an app that the host places is no choice', () => {
    const moved = (name: string) => draftOf({ ...app, placement: 'automatic', environments: [name] });
    expect(moved('a').environments).toEqual([]);
    expect(patchOf(moved('a'), moved('b'))).toEqual({});
  });
  it('is one place for a database that is a file', () => {
    const draft: Draft = { ...empty, placement: 'named', environments: ['a', 'b'], failover: true, database: { kind: 'new_database', engine: null, url: '' } };
    const rules = (service: 'sqlite' | 'postgres', part: Partial<Draft> = {}) => Object.values(checkDraft({ ...draft, ...part }, undefined, { service })).map((one) => one.rule);
    expect(rules('sqlite')).toEqual(['environments_local', 'failover_local']);
    expect(rules('postgres')).toEqual([]);
    expect(rules('postgres', { database: { kind: 'new_database', engine: 'sqlite', url: '' } })).toEqual(['environments_local', 'failover_local']);
    expect(rules('sqlite', { environments: ['a'], failover: false })).toEqual([]);
    expect(rules('sqlite', { environments: [], failover: false })).toEqual(['environments_empty']);
  });
  it('is one place for a key-value space, whatever the database is', () => {
    const imports = ['wasi:http/types@0.3.2', 'wasi:keyvalue/store@0.2.0-draft2'];
    const draft: Draft = { ...empty, placement: 'named', environments: ['a', 'b'], failover: true, database: { kind: 'new_schema', engine: null, url: '' } };
    const broken = (part: Partial<Draft> = {}, fields?: DraftField[]) => checkDraft({ ...draft, ...part }, fields, { service: 'postgres', imports });
    const told = { environments: { rule: 'environments_keyvalue' }, failover: { rule: 'failover_keyvalue' } };
    expect(broken()).toEqual(told);
    expect(broken({ database: { kind: 'new_database', engine: 'sqlite', url: '' } })).toEqual(told);
    expect(broken({ environments: ['a'], failover: false })).toEqual({});
    expect(broken({ placement: 'automatic', environments: [], failover: false })).toEqual({});
    expect(checkDraft(draft, undefined, { service: 'postgres' })).toEqual({});
    expect(checkDraft(draft, undefined, { service: 'postgres', imports: ['wasi:http/types@0.3.2'] })).toEqual({});
    // Where only the component is changed, it is the component that cannot be.
    expect(broken({}, ['component'])).toEqual({ component: { rule: 'component_keyvalue' } });
    expect(broken({ environments: ['a'] }, ['component'])).toEqual({ component: { rule: 'component_keyvalue' } });
    expect(broken({ environments: ['a'], failover: false }, ['component'])).toEqual({});
  });
});

describe('the way back', () => {
  it('puts old values back', () => {
    const after = changed({ display_name: 'New', domains: [], limits: { ...before.limits, queue: 1 }, config: row('GREETING', { key: 'HI', value: 'x' }) });
    expect(undoOf(before, after)).toEqual({
      display_name: 'Shop',
      domains: ['shop.example.com'],
      limits: { queue: STANDARD.queue },
      config: { HI: null, GREETING: { value: 'hi', secret: false } },
    });
  });
  it('is not there where a secret would be needed, or a key', () => {
    expect(undoOf(before, changed({ config: row('KEY', { value: 'new' }) }))).toBeNull();
    expect(undoOf(before, changed({ config: before.config.filter((one) => !one.secret) }))).toBeNull();
    expect(undoOf(before, changed({ data_sources: source('archive', { url: 'mysql://h/d' }) }))).toBeNull();
    expect(undoOf(before, changed({ data_sources: source('archive', { place: 'app', app: 'x' }) }))).toBeNull();
    expect(undoOf(before, changed({ database: { kind: 'none', engine: null, url: '' } }))).toBeNull();
    expect(undoOf(before, changed({ jwt: { independent: true, algorithm: 'EdDSA' } }))).toBeNull();
    expect(undoOf(before, changed({ data_sources: source('archive', { access: 'read_only' }) }))).not.toBeNull();
  });
});

describe('presets', () => {
  it('are recognized', () => {
    for (const preset of ['small', 'standard', 'large'] as const) expect(presetOf(presetValues(preset, STANDARD), STANDARD)).toBe(preset);
    expect(presetOf({ ...STANDARD, queue: 7 }, STANDARD)).toBe('custom');
  });
});

describe('a kept draft', () => {
  it('has no secrets and no URLs', () => {
    const draft = changed({ config: row('KEY', { value: 'hunter2' }), database: { kind: 'new_connection', engine: null, url: 'postgres://u:hunter2@h/d' } });
    const text = JSON.stringify(withoutSecrets({ ...draft, data_sources: source('archive', { url: 'mysql://u:hunter2@h' }) }));
    expect(text).not.toContain('hunter2');
    expect(text).toContain('"hi"');
  });
  it('comes back, unless its shape is another', () => {
    const empty = emptyDraft(STANDARD);
    keepDraft({ ...empty, display_name: 'Kept' });
    expect(keptDraft(empty)?.display_name).toBe('Kept');
    sessionStorage.setItem('lodge.new-app', '{"limits":["x"],"draft":{}}');
    expect(keptDraft(empty)).toBeNull();
    sessionStorage.setItem('lodge.new-app', 'nonsense');
    expect(keptDraft(empty)).toBeNull();
  });
});
