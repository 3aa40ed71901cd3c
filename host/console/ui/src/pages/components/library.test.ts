import { expect, it } from 'vitest';
import type { AppAnswer, Component } from '../../api/schema';
import { groupLibrary, linkOf, statusOf, usersOf } from './library';

const make = (name: string, version: string, created_at: number, more: Partial<Component> = {}) =>
  ({ name, version, created_at, digest: `${name}${version}`, status: 'ready', metadata: {}, ...more }) as Component;
const all = [
  make('shop', '1.0.0', 1),
  make('desk', '2.0.0', 2, { metadata: { description: 'Tickets of a help desk' } }),
  make('shop', '1.1.0', 3, { status: 'failed' }),
];
const names = (search: string, status: Component['status'] | null = null) =>
  groupLibrary(all, { search, status }).map((group) => [group.name, ...group.versions.map((one) => one.version)]);

it('groups by name, newest version first', () => {
  expect(names('')).toEqual([
    ['desk', '2.0.0'],
    ['shop', '1.1.0', '1.0.0'],
  ]);
});

it('finds by all words, and by status', () => {
  expect(names('SHOP 1.0.0')).toEqual([['shop', '1.0.0']]);
  expect(names('help tickets')).toEqual([['desk', '2.0.0']]);
  expect(names('', 'failed')).toEqual([['shop', '1.1.0']]);
  expect(names('nothing')).toEqual([]);
});

it('takes only known statuses from the address', () => {
  expect(statusOf('failed')).toBe('failed');
  expect(statusOf('x')).toBeNull();
  expect(statusOf(null)).toBeNull();
});

it('knows the apps of a component', () => {
  const apps = [{ id: 'a', component: { digest: 'x' } }, { id: 'b', component: { digest: 'x' } }] as AppAnswer[];
  expect(usersOf(apps).get('x')?.map((app) => app.id)).toEqual(['a', 'b']);
});

it('links to web addresses only', () => {
  expect(linkOf('https://example.com/a')).toBe('https://example.com/a');
  expect(linkOf('javascript:alert(1)')).toBeNull();
  expect(linkOf('data:text/html,x')).toBeNull();
  expect(linkOf('github.com/x')).toBeNull();
  expect(linkOf(undefined)).toBeNull();
});
