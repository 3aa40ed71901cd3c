import { describe, expect, it } from 'vitest';
import { find } from './find';

const command = (kind: 'page' | 'app' | 'component' | 'action', title: string, others: string[] = [], searched = true) => ({ kind, title, others, searched });
const commands = [
  command('page', 'Apps', [], false),
  command('action', 'Stop Shop front', ['shop', 'shop.example.com']),
  command('app', 'Shop front', ['shop', 'shop.example.com']),
  command('component', 'shop'),
  ...Array.from({ length: 100 }, (_, n) => command('app', `Hello ${n}`, [`hello-${n}`])),
];
const titles = (text: string) => find(text, commands).map((one) => one.command.title);

describe('find', () => {
  it('begins with what is always there', () => expect(titles('')).toEqual(['Apps']));
  it('has an app before what can be done to it', () => expect(titles('shop fr')).toEqual(['Shop front', 'Stop Shop front']));
  it('finds what can be done', () => expect(titles('stop')[0]).toBe('Stop Shop front'));
  it('finds by domain', () => expect(titles('example.com')[0]).toBe('Shop front'));
  it('shows no more than one can read', () => expect(titles('hello')).toHaveLength(30));
});
