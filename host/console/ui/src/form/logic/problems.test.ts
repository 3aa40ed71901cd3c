import { describe, expect, it } from 'vitest';
import { sectionOf } from '../catalog';
import { risksOf } from '../use-save';
import { checkDraft } from './check';
import { draftOf } from './draft';
import { app } from './fixture';
import { pathOf } from './problems';

const draft = { ...draftOf(app), domains: ['a.example', 'b.example'] };
const at = (field: string | null, code = 'invalid', message = '') => pathOf({ field, code, message }, draft);

describe('where a refusal belongs', () => {
  it('by its field', () => {
    expect(at('id')).toBe('id');
    expect(at('limits.memory_bytes')).toBe('limits.memory_bytes');
    expect(at('domains[1]')).toBe('domains[1]');
    expect(at('domains')).toBe('domains');
    expect(at('component.name')).toBe('component');
    expect(at('environments[0]')).toBe('environments');
    expect(at('database.url')).toBe('database.url');
    expect(at('database.kind')).toBe('database.kind');
    expect(at('jwt.algorithm')).toBe('jwt.algorithm');
    expect(at('tags[2]')).toBe('tags[2]');
    expect(at('config.KEY')).toBe('config[1].value');
    expect(at('config')).toBe('config');
    expect(at('data_sources.archive.url')).toBe('data_sources[1].url');
    expect(at('data_sources.orders')).toBe('data_sources[0].name');
    expect(at('data_sources.gone.app')).toBe('data_sources');
  });
  it('by its code, where it names no field', () => {
    expect(at(null, 'app_exists')).toBe('id');
    expect(at(null, 'host_label_taken')).toBe('id');
    expect(at(null, 'domain_taken', "the domain `b.example` is the app `x`'s: remove it there first")).toBe('domains[1]');
    expect(at(null, 'database_in_use')).toBe('database.kind');
  });
  it('nowhere: then it stands on top', () => {
    expect(at(null, 'internal')).toBeNull();
    expect(at('desired')).toBeNull();
  });
  it('and in which section', () => {
    expect(sectionOf('limits.queue')).toBe('limits');
    expect(sectionOf('data_sources[0].url')).toBe('sources');
    expect(sectionOf('jwt.algorithm')).toBe('tokens');
    expect(sectionOf('outbound_hosts[3]')).toBe('hosts');
  });
});

describe('rules over the whole form', () => {
  it('name the field', () => {
    const broken = checkDraft({
      ...draft,
      display_name: ' ',
      id: 'A',
      component: null,
      domains: ['ok.example', 'http://x'],
      limits: { ...draft.limits, memory_bytes: 1024 ** 2, queue: -1, request_cpu_ms: null },
      config: [
        ...draft.config,
        { row: 'n', key: 'GREETING', value: '', secret: false, stored: false },
        { row: 'o', key: 'LOST', value: null, secret: true, stored: false },
      ],
      data_sources: [{ row: 's', name: 'x', place: 'app', app: '', url: '', access: 'read_only', stored: false }],
    });
    expect(Object.entries(broken).map(([path, { rule }]) => `${path} ${rule}`)).toEqual([
      'display_name name_empty',
      'id id_start',
      'component component_empty',
      'domains[1] domain_scheme',
      'limits.request_cpu_ms limit_empty',
      'limits.queue limit_range',
      'limits.instance_memory_bytes limit_instance',
      'config[2].key key_twice',
      'config[3].value value_again',
      'data_sources[0].app source_app',
    ]);
  });
  it('look only at the fields that are shown', () => {
    expect(checkDraft({ ...draft, display_name: '', component: null }, ['component'])).toEqual({ component: { rule: 'component_empty' } });
  });
});

describe('risks that are said first', () => {
  it('of the database and the key', () => {
    expect(risksOf({ database: { kind: 'none' } }, app)).toEqual(['database_gone']);
    expect(risksOf({ database: { kind: 'new_database' } }, app)).toEqual(['database_moved']);
    expect(risksOf({ jwt: { independent: false } }, app)).toEqual(['key_shared']);
    expect(risksOf({ jwt: { independent: true, algorithm: 'RS256' } }, app)).toEqual(['key_new']);
    expect(risksOf({ jwt: { independent: true } }, { ...app, jwt: { independent: false } })).toEqual(['key_own']);
    expect(risksOf({ display_name: 'x' }, app)).toEqual([]);
  });
});
