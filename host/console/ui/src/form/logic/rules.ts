// The host's own rules, told while one types. Each gives the key of a text under `form:rule`, or null if all is well.
// The host checks again: what is missed here comes back as a problem beside the field.

export interface Broken {
  rule: string;
  values?: Record<string, string | number>;
}

const broken = (rule: string, values?: Broken['values']): Broken => ({ rule, values });

const RESERVED = 'admin api apps assets console healthz localhost lodge main metrics readyz static supervisor worker www'.split(' ');

/** host/model/src/ids.rs */
export function checkId(id: string): Broken | null {
  if (id === '') return null;
  if (!/^[a-z]/.test(id)) return broken('id_start');
  if (!/^[a-z0-9_-]*$/.test(id)) return broken('id_letters');
  if (id.length > 63) return broken('id_long', { length: id.length });
  if (/[-_]$/.test(id)) return broken('id_end');
  return RESERVED.includes(id) ? broken('id_reserved', { id }) : null;
}

/** The ID that a name gives; empty if it has no Latin letter or digit. */
export function slug(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/ß/g, 'ss')
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  if (plain === '') return '';
  const named = /^[a-z]/.test(plain) ? plain : `app-${plain}`;
  const short = named.slice(0, 63).replace(/-+$/, '');
  return RESERVED.includes(short) ? `${short}-app` : short;
}

export function checkName(name: string): Broken | null {
  if (/\p{Cc}/u.test(name)) return broken('control');
  return [...name].length > 200 ? broken('name_long') : null;
}

/** RFC 1123, as host/model/src/outbound_host.rs has it. */
function isHostName(name: string): boolean {
  if (name.length > 253) return false;
  const labels = name.split('.');
  if (!labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label))) return false;
  const last = labels.at(-1) ?? '';
  return !/^(\d+|0x[0-9a-f]*)$/.test(last);
}

const isIpv4 = (text: string) => /^(\d{1,3}\.){3}\d{1,3}$/.test(text) && text.split('.').every((part) => Number(part) < 256);

export function checkDomain(domain: string): Broken | null {
  if (/^[a-z]+:\/\//i.test(domain)) return broken('domain_scheme');
  if (/[:/]/.test(domain)) return broken('domain_port');
  if (isIpv4(domain)) return broken('domain_address');
  if (domain === 'localhost' || domain.endsWith('.localhost')) return broken('domain_localhost');
  return isHostName(domain) ? null : broken('domain_name');
}

export function checkOutboundHost(text: string): Broken | null {
  const bad = broken('host');
  if (text.includes('://')) return broken('host_scheme');
  const goodPort = (port: string) => /^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536;
  const six = /^\[([0-9a-f:.]+)\](?::(.*))?$/i.exec(text);
  if (six) return (six[1] ?? '').includes(':') && (six[2] === undefined || goodPort(six[2])) ? null : bad;
  const colon = text.lastIndexOf(':');
  if (colon >= 0 && !goodPort(text.slice(colon + 1))) return bad;
  const host = colon >= 0 ? text.slice(0, colon) : text;
  if (isIpv4(host)) return null;
  const below = host.startsWith('*.');
  const name = below ? host.slice(2) : host;
  if (name === 'lodge.internal' || name.endsWith('.lodge.internal')) {
    const app = name.slice(0, -'.lodge.internal'.length);
    return !below && colon < 0 && app !== '' && checkId(app) === null ? null : broken('host_internal');
  }
  return isHostName(name) ? null : bad;
}

export function checkConfigKey(key: string): Broken | null {
  if (key === '') return broken('key_empty');
  return /^[A-Za-z0-9_./-]{1,128}$/.test(key) ? null : broken('key');
}

const bytes = (text: string) => new TextEncoder().encode(text).length;

export function checkConfigValue(value: string): Broken | null {
  return bytes(value) > 64 * 1024 ? broken('value_long') : null;
}

export function checkSourceName(name: string): Broken | null {
  if (name === 'default') return broken('source_default');
  return /^[a-z][a-z0-9_]{0,62}$/.test(name) ? null : broken('source_name');
}

export function checkDatabaseUrl(url: string): Broken | null {
  if (url === '') return broken('url_empty');
  if (/\s|\p{Cc}/u.test(url)) return broken('url_space');
  if (bytes(url) > 2048) return broken('url_long');
  return /^(postgres|postgresql|mysql|mariadb):\/\/./.test(url) ? null : broken('url_scheme');
}

export function checkTag(tag: string): Broken | null {
  if (/[\p{Cc},]/u.test(tag)) return broken('tag_letters');
  return [...tag].length > 32 ? broken('tag_long') : null;
}
