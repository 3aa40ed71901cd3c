import { describe, expect, it } from 'vitest';
import { fromUnit, type Scale, toUnit, unitFor, unitsOf } from './units';

const MIB = 1024 ** 2;
const shown = (value: number, scale: Scale) => {
  const unit = unitFor(value, scale);
  return `${toUnit(value, unit)} ${unit.name}`;
};

describe('units', () => {
  it('are those in which a value is short', () => {
    expect(shown(128 * MIB, 'bytes')).toBe('128 MiB');
    expect(shown(1536 * MIB, 'bytes')).toBe('1.5 GiB');
    expect(shown(64 * 1024, 'bytes')).toBe('64 KiB');
    expect(shown(1000, 'bytes')).toBe('1000 B');
    expect(shown(0, 'bytes')).toBe('0 MiB');
    expect(shown(30_000, 'ms')).toBe('30 s');
    expect(shown(90_000, 'ms')).toBe('1.5 min');
    expect(shown(250, 'ms')).toBe('250 ms');
    expect(shown(0, 'ms')).toBe('0 s');
  });
  it('go back and forth', () => {
    for (const scale of ['bytes', 'ms'] as const) {
      for (const value of [0, 1, 999, 1024, 5_000, 65_536, 1_000_003, 128 * MIB, 1024 ** 3]) {
        const unit = unitFor(value, scale);
        expect(fromUnit(toUnit(value, unit), unit), `${value} ${scale}`).toBe(value);
      }
    }
    const mib = unitsOf('bytes')[2];
    expect(mib && fromUnit(0.5, mib)).toBe(512 * 1024);
    expect(mib && fromUnit(null, mib)).toBeNull();
  });
});
