// What a component can do, by what it imports and exports: in words rather than interfaces.
import type { Component } from '../../api/schema';

export type Capability = 'http' | 'database' | 'migrations' | 'tokens' | 'config' | 'keyvalue' | 'logging' | 'outgoing';

const IMPORTS: [prefix: string, capability: Capability][] = [
  ['lodge:host/database', 'database'],
  ['lodge:host/jwt', 'tokens'],
  ['wasi:config/', 'config'],
  ['wasi:keyvalue/', 'keyvalue'],
  ['wasi:logging/', 'logging'],
  ['wasi:http/outgoing-handler', 'outgoing'],
  ['wasi:http/client', 'outgoing'],
];

export function capabilitiesOf({ imports, exports }: Pick<Component, 'imports' | 'exports'>): Capability[] {
  const found = new Set<Capability>(['http']);
  if (exports.some((one) => one.startsWith('lodge:host/migrations'))) found.add('migrations');
  for (const [prefix, capability] of IMPORTS) if (imports.some((one) => one.startsWith(prefix))) found.add(capability);
  return [...found];
}
