import { describe, expect, it } from 'vitest';
import { formats } from '.';

describe('formats', () => {
  const en = formats('en');
  it('writes sizes in binary units', () => {
    expect(en.bytes(0)).toBe('0\u00a0B');
    expect(en.bytes(1536)).toBe('1.5\u00a0KiB');
    expect(en.bytes(128 * 1024 * 1024)).toBe('128\u00a0MiB');
    expect(formats('de').bytes(1.5 * 1024 * 1024)).toBe('1,5\u00a0MiB');
  });
  it('gives nought no sign', () => {
    expect(en.number(-0)).toBe('0');
    expect(en.cores(-0.0001)).toBe('0');
    expect(en.number(-2)).toBe('-2');
  });
  it('writes durations in the unit that fits', () => {
    expect(en.duration(0.25)).toBe('0.25 ms');
    expect(en.duration(340)).toBe('340 ms');
    expect(en.duration(1_240)).toBe('1.2 sec');
    expect(en.duration(3 * 60_000)).toBe('3 min');
    expect(en.duration(49 * 3_600_000)).toBe('2 days');
  });
  it('writes times from now', () => {
    expect(en.relative(1_000, 181_000)).toBe('3 minutes ago');
    expect(formats('fr').relative(1_000, 181_000)).toBe('il y a 3 minutes');
    expect(en.relative(90_000_000, 0)).toBe('tomorrow');
  });
});
