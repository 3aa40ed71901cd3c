import { expect, it } from 'vitest';
import { endOf, endsSoon, hasEnded } from './expiry';

it('knows what has ended and what ends within a week', () => {
  const now = 1_000_000;
  expect(hasEnded(now, now)).toBe(true);
  expect(hasEnded(now + 1, now)).toBe(false);
  expect(endsSoon(now, now)).toBe(false);
  expect(endsSoon(endOf(7, now), now)).toBe(true);
  expect(endsSoon(endOf(8, now), now)).toBe(false);
});
