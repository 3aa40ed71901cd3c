import { expect, it } from 'vitest';
import { inEnvironment } from './visit-url';

it('asks for one environment', () => {
  expect(inEnvironment('http://shop.localhost:13000/', 'worker-1')).toBe('http://shop.localhost:13000/?lodge-environment=worker-1');
  expect(inEnvironment('http://127.0.0.1:13000/apps/shop/?a=b', 'eu.1')).toBe('http://127.0.0.1:13000/apps/shop/?a=b&lodge-environment=eu.1');
});
