import { describe, expect, it } from 'vitest';
import type { AppAnswer, AppUsage } from '../../api/schema';
import { observations } from '../../components/observations';
import { facets, isNearlyFull, isThrottled, memoryShare, select } from './select';
import { parseView } from './view';

function app(id: string, more: Partial<AppAnswer> = {}): AppAnswer {
  return {
    id,
    display_name: id,
    component: { name: 'hello', version: '1.0.0', digest: 'd1' },
    environments: ['local'],
    observed: [{ environment: 'local', status: 'running', since: 1 }],
    domains: [],
    tags: [],
    limits: { memory_bytes: 100 },
    start_mode: 'on_first_visit',
    created_at: 1,
    updated_at: 1,
    ...more,
  } as AppAnswer;
}

function usage(id: string, more: Partial<AppUsage>): AppUsage {
  return { id, requests_per_minute: 0, errors_per_minute: 0, cpu_cores: 0, throttled: 0, memory_bytes: 0, in_flight: 0, queued: 0, instances: 0, ...more };
}

const failed = [{ environment: 'local', status: 'failed' as const, since: 1, message: 'no table' }];
const apps = [
  app('shop', { display_name: 'Café', domains: ['shop.example.com'], tags: ['live'], created_at: 3 }),
  app('desk', { component: { name: 'desk', version: '2.0.0', digest: 'd2' }, observed: failed, tags: ['live', 'inner'] }),
  app('app10', { created_at: 2 }),
  app('app9', { environments: ['local', 'north'], domains: ['a.example.com'] }),
];
const figures = new Map([
  ['desk', usage('desk', { cpu_cores: 2, memory_bytes: 90, throttled: 0.3 })],
  ['app9', usage('app9', { cpu_cores: 1, memory_bytes: 10 })],
]);
const ids = (address: string) => select(apps, parseView(new URLSearchParams(address)), figures, 'en').map((one) => one.id);

describe('search', () => {
  it.each([
    ['ID', 'SHOP', ['shop']],
    ['name, without its accents', 'cafe', ['shop']],
    ['domain', 'example.com', ['app9', 'shop']],
    ['component', '2.0.0', ['desk']],
    ['tag', 'inner', ['desk']],
    ['a letter, not in versions', '0', ['app10']],
    ['all words', 'live desk', ['desk']],
    ['nothing', 'bogus', []],
  ])('finds by %s', (_, text, found) => expect(ids(`q=${text}`)).toEqual(found));
});

describe('filters', () => {
  it('let through what has one of the chosen values in each', () => {
    expect(ids('tag=live')).toEqual(['shop', 'desk']);
    expect(ids('tag=live&status=failed')).toEqual(['desk']);
    expect(ids('environment=north&environment=local&component=hello')).toEqual(['app9', 'app10', 'shop']);
  });

  it('take an environment that nobody heard of as unknown', () => {
    expect(observations(apps[3] as AppAnswer).map((one) => one.status)).toEqual(['running', 'unknown']);
    expect(ids('status=unknown')).toEqual(['app9']);
  });

  it('count what each option would show beside the other filters', () => {
    const { tag, status } = facets(apps, parseView(new URLSearchParams('status=failed&tag=gone')));
    expect(tag).toEqual([{ value: 'gone', count: 0 }, { value: 'inner', count: 1 }, { value: 'live', count: 1 }]);
    // By urgency, and none of them is tagged `gone`.
    expect(status.map((one) => one.value)).toEqual(['failed', 'unknown', 'running']);
    expect(status.every((one) => one.count === 0)).toBe(true);
  });
});

describe('sorting', () => {
  it('has numbers in names by their size', () => expect(ids('')).toEqual(['app9', 'app10', 'shop', 'desk']));
  it('turns round', () => expect(ids('sort=-name')).toEqual(['desk', 'shop', 'app10', 'app9']));
  it('goes by figures, then by name', () => expect(ids('sort=-cpu')).toEqual(['desk', 'app9', 'app10', 'shop']));
  it('has failures first', () => expect(ids('sort=status')[0]).toBe('desk'));
  it('has what lacks a domain last both ways', () => {
    expect(ids('sort=domains')).toEqual(['app9', 'shop', 'app10', 'desk']);
    expect(ids('sort=-domains')).toEqual(['shop', 'app9', 'app10', 'desk']);
  });
});

describe('what asks for attention', () => {
  it('is memory over 85 % and more than a fifth of the turns waited for', () => {
    expect(isNearlyFull(memoryShare(apps[1] as AppAnswer, figures.get('desk')))).toBe(true);
    expect(isNearlyFull(0.85)).toBe(false);
    expect(isThrottled(figures.get('desk'))).toBe(true);
    expect(isThrottled(usage('x', { throttled: 0.2 }))).toBe(false);
    expect(isThrottled(undefined)).toBe(false);
  });
});
