import { describe, expect, it } from 'vitest';
import { checkConfigKey, checkDatabaseUrl, checkDomain, checkId, checkOutboundHost, checkSourceName, checkTag, slug } from './rules';

describe('IDs', () => {
  it('are as the host wants them', () => {
    for (const good of ['', 'a', 'shop', 'shop-2_b', `a${'b'.repeat(62)}`]) expect(checkId(good), good).toBeNull();
    expect(checkId('Shop')?.rule).toBe('id_start');
    expect(checkId('9x')?.rule).toBe('id_start');
    expect(checkId('a.b')?.rule).toBe('id_letters');
    expect(checkId('aB')?.rule).toBe('id_letters');
    expect(checkId('a'.repeat(64))?.rule).toBe('id_long');
    expect(checkId('shop-')?.rule).toBe('id_end');
    expect(checkId('shop_')?.rule).toBe('id_end');
    expect(checkId('api')?.rule).toBe('id_reserved');
  });
  it('come from names', () => {
    expect(slug('The Demo Shop')).toBe('the-demo-shop');
    expect(slug('Überraschung & Söhne')).toBe('uberraschung-sohne');
    expect(slug("Anna's  Café!")).toBe('annas-cafe');
    expect(slug('Straße')).toBe('strasse');
    expect(slug('2026 budget')).toBe('app-2026-budget');
    expect(slug('API')).toBe('api-app');
    expect(slug('应用')).toBe('');
    for (const name of ['x'.repeat(100), `${'a'.repeat(62)} b`, '--a--', '١٢', 'é', '9'.repeat(90)]) expect(checkId(slug(name)), name).toBeNull();
  });
});

describe('names of hosts', () => {
  it('of the app itself', () => {
    for (const good of ['shop.example.com', 'example.com', 'x1.io', 'intranet']) expect(checkDomain(good), good).toBeNull();
    const bad: Record<string, string> = {
      'http://a.b': 'domain_scheme',
      'a.b:80': 'domain_port',
      'a.b/c': 'domain_port',
      '127.0.0.1': 'domain_address',
      'x.localhost': 'domain_localhost',
      'a..b': 'domain_name',
      '-a.b': 'domain_name',
      'a_b.c': 'domain_name',
      '1.0x7f': 'domain_name',
    };
    for (const [domain, rule] of Object.entries(bad)) expect(checkDomain(domain)?.rule, domain).toBe(rule);
  });
  it('that may be called', () => {
    const good = ['api.example.com', '*.example.org', 'api.example.com:8443', '10.0.0.5', '10.0.0.5:8080', '[2001:db8::1]', '[::1]:80', 'shop.lodge.internal'];
    for (const host of good) expect(checkOutboundHost(host), host).toBeNull();
    expect(checkOutboundHost('https://a.b')?.rule).toBe('host_scheme');
    for (const host of ['a.b:0', 'a.b:99999', 'a.b:x', '*', 'a.*.b', '2130706433', '2001:db8::1', '[x]']) expect(checkOutboundHost(host)?.rule, host).toBe('host');
    for (const host of ['lodge.internal', '*.lodge.internal', 'shop.lodge.internal:80', 'Shop.lodge.internal']) {
      expect(checkOutboundHost(host), host).not.toBeNull();
    }
  });
});

describe('other texts', () => {
  it('keys, sources, URLs, tags', () => {
    expect(checkConfigKey('a/B-c.d_1')).toBeNull();
    expect(checkConfigKey('a b')?.rule).toBe('key');
    expect(checkConfigKey('a'.repeat(129))?.rule).toBe('key');
    expect(checkSourceName('orders_2')).toBeNull();
    expect(checkSourceName('default')?.rule).toBe('source_default');
    expect(checkSourceName('Orders')?.rule).toBe('source_name');
    expect(checkDatabaseUrl('mariadb://u@h/d')).toBeNull();
    expect(checkDatabaseUrl('sqlite:///x')?.rule).toBe('url_scheme');
    expect(checkDatabaseUrl('postgres://u@h/a b')?.rule).toBe('url_space');
    expect(checkTag('été')).toBeNull();
    expect(checkTag('a,b')?.rule).toBe('tag_letters');
    expect(checkTag('x'.repeat(33))?.rule).toBe('tag_long');
  });
});
