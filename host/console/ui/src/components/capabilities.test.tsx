import { expect, it } from 'vitest';
import { capabilitiesOf } from './capabilities';

it('names each capability once, in the order shown', () => {
  expect(
    capabilitiesOf([
      'wasi:clocks/wall-clock@0.2.6',
      'wasi:clocks/monotonic-clock@0.2.6',
      'wasi:http/client@0.3.2',
      'lodge:host/database-async@0.1.0',
      'wasi:http/handler@0.3.2',
    ]),
  ).toEqual(['http_server', 'database', 'outbound', 'clocks']);
});

it('reads both generations of WASI', () => {
  expect(capabilitiesOf(['wasi:http/incoming-handler@0.2.12', 'wasi:http/outgoing-handler@0.2.12'])).toEqual(['http_server', 'outbound']);
  expect(capabilitiesOf(['wasi:keyvalue/atomics@0.2.0-draft2', 'wasi:config/store@0.2.0-rc.1', 'wasi:logging/logging@0.1.0-draft'])).toEqual([
    'keyvalue',
    'config',
    'logging',
  ]);
});

it('takes types, and what has nothing behind it, for no capability', () => {
  expect(capabilitiesOf(['wasi:http/types@0.3.2', 'lodge:host/sql@0.1.0', 'wasi:filesystem/preopens@0.2.6', 'wasi:io/poll@0.2.6', ''])).toEqual([]);
});
