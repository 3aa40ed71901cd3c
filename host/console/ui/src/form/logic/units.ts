// Amounts as people type them: 128 MiB, 30 s; the API has bytes and milliseconds.

export type Scale = 'bytes' | 'ms';

export interface Unit {
  name: string;
  size: number;
}

const SCALES: Record<Scale, Unit[]> = {
  bytes: [
    { name: 'B', size: 1 },
    { name: 'KiB', size: 1024 },
    { name: 'MiB', size: 1024 ** 2 },
    { name: 'GiB', size: 1024 ** 3 },
  ],
  ms: [
    { name: 'ms', size: 1 },
    { name: 's', size: 1_000 },
    { name: 'min', size: 60_000 },
  ],
};

export const unitsOf = (scale: Scale): Unit[] => SCALES[scale];

/** The largest unit in which the value is short and exact: 1536 KiB rather than 1.5 MiB stays 1.5 MiB. */
export function unitFor(value: number, scale: Scale): Unit {
  const units = SCALES[scale];
  const exact = (unit: Unit) => value >= unit.size && Number.isInteger((value / unit.size) * 100);
  return [...units].reverse().find(exact) ?? (value === 0 ? units.at(-2) : units[0]) ?? { name: '', size: 1 };
}

/** What a number typed with a unit means; a whole number, as the API wants it. */
export function fromUnit(amount: number | null, unit: Unit): number | null {
  return amount === null || !Number.isFinite(amount) ? null : Math.round(amount * unit.size);
}

export function toUnit(value: number | null, unit: Unit): number | null {
  return value === null ? null : Number((value / unit.size).toPrecision(12));
}
