// What a component can do, read from the names of the interfaces that it imports and exports.

/** In the order in which they are shown: what matters most to whoever runs the app comes first. */
export const CAPABILITIES = [
  'http_server',
  'database',
  'migrations',
  'outbound',
  'jwt',
  'keyvalue',
  'config',
  'logging',
  'clocks',
  'random',
] as const;

export type Capability = (typeof CAPABILITIES)[number];

// Interfaces that only bring types (`wasi:http/types`, `lodge:host/sql`) and those behind which Lodge has
// nothing (files, sockets, terminals) are no capability.
const OF: Record<string, Capability> = {
  'wasi:http/handler': 'http_server',
  'wasi:http/incoming-handler': 'http_server',
  'lodge:host/database': 'database',
  'lodge:host/database-async': 'database',
  'lodge:host/migrations': 'migrations',
  'wasi:http/client': 'outbound',
  'wasi:http/outgoing-handler': 'outbound',
  'lodge:host/jwt': 'jwt',
  'wasi:keyvalue/store': 'keyvalue',
  'wasi:keyvalue/atomics': 'keyvalue',
  'wasi:keyvalue/batch': 'keyvalue',
  'wasi:config/store': 'config',
  'wasi:logging/logging': 'logging',
  // Both streams end in the app's log.
  'wasi:cli/stdout': 'logging',
  'wasi:cli/stderr': 'logging',
  'wasi:clocks/monotonic-clock': 'clocks',
  'wasi:clocks/wall-clock': 'clocks',
  'wasi:clocks/system-clock': 'clocks',
  'wasi:random/random': 'random',
  'wasi:random/insecure': 'random',
  'wasi:random/insecure-seed': 'random',
};

/** The capabilities behind interface names such as `wasi:http/client@0.3.2`, each once, in the order shown. */
export function capabilitiesOf(interfaces: readonly string[]): Capability[] {
  const found = new Set(interfaces.map((name) => OF[name.split('@')[0] ?? '']));
  return CAPABILITIES.filter((capability) => found.has(capability));
}
