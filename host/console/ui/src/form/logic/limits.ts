// The limits: their units, ranges and defaults as docs/limits.md has them, and the presets.
import type { Limits } from '../../api/schema';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export type LimitUnit = 'bytes' | 'ms' | 'count' | 'cores' | 'weight' | 'bytes_per_second';

export interface LimitRule {
  unit: LimitUnit;
  standard: number | null;
  min: number;
  max: number;
}

const rule = (unit: LimitUnit, standard: number | null, min: number, max: number): LimitRule => ({ unit, standard, min, max });

export const LIMITS = {
  memory_bytes: rule('bytes', 128 * MIB, MIB, 1024 * GIB),
  instance_memory_bytes: rule('bytes', 64 * MIB, 64 * KIB, GIB),
  cpu_weight: rule('weight', 100, 1, 10_000),
  cpu_cores: rule('cores', null, 0.01, 1024),
  request_cpu_ms: rule('ms', 5_000, 1, 3_600_000),
  request_timeout_ms: rule('ms', 30_000, 10, 3_600_000),
  concurrency: rule('count', 64, 1, 10_000),
  queue: rule('count', 256, 0, 100_000),
  queue_timeout_ms: rule('ms', 5_000, 0, 600_000),
  request_body_bytes: rule('bytes', 10 * MIB, 0, 16 * GIB),
  instance_reuse: rule('count', null, 1, 1_000_000),
  outbound_concurrency: rule('count', 32, 0, 10_000),
  database_connections: rule('count', 5, 1, 1_000),
  statement_timeout_ms: rule('ms', 10_000, 1, 3_600_000),
  result_bytes: rule('bytes', 16 * MIB, KIB, GIB),
  storage_bytes: rule('bytes', GIB, MIB, 1024 * GIB),
  log_bytes_per_second: rule('bytes_per_second', 64 * KIB, 0, GIB),
} satisfies Record<keyof Limits, LimitRule>;

export type LimitName = keyof Limits;
export type LimitValues = Record<LimitName, number | null>;

export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[];

/** May be left empty: no cap, or what fits the component. */
export const isOptional = (name: LimitName) => LIMITS[name].standard === null;

export const LIMIT_GROUPS: [group: 'memory' | 'cpu' | 'requests' | 'data' | 'network', names: LimitName[]][] = [
  ['memory', ['memory_bytes', 'instance_memory_bytes', 'instance_reuse']],
  ['cpu', ['cpu_cores', 'cpu_weight', 'request_cpu_ms']],
  ['requests', ['concurrency', 'queue', 'queue_timeout_ms', 'request_timeout_ms', 'request_body_bytes']],
  ['data', ['storage_bytes', 'database_connections', 'statement_timeout_ms', 'result_bytes']],
  ['network', ['outbound_concurrency', 'log_bytes_per_second']],
];

/** Lodge's own defaults. */
export const STANDARD = Object.fromEntries(LIMIT_NAMES.map((name) => [name, LIMITS[name].standard])) as LimitValues;

export function limitValues(limits: Limits): LimitValues {
  return Object.fromEntries(LIMIT_NAMES.map((name) => [name, limits[name] ?? null])) as LimitValues;
}

export type Preset = 'small' | 'standard' | 'large';

const CHANGED: Record<Exclude<Preset, 'standard'>, Partial<LimitValues>> = {
  small: {
    memory_bytes: 32 * MIB,
    instance_memory_bytes: 16 * MIB,
    cpu_weight: 50,
    cpu_cores: 0.25,
    request_cpu_ms: 2_000,
    concurrency: 16,
    queue: 64,
    outbound_concurrency: 8,
    database_connections: 2,
    storage_bytes: 256 * MIB,
  },
  large: {
    memory_bytes: GIB,
    instance_memory_bytes: 256 * MIB,
    cpu_weight: 200,
    request_cpu_ms: 20_000,
    request_timeout_ms: 60_000,
    concurrency: 256,
    queue: 1_024,
    request_body_bytes: 100 * MIB,
    outbound_concurrency: 128,
    database_connections: 20,
    result_bytes: 64 * MIB,
    storage_bytes: 10 * GIB,
  },
};

/** A preset's limits; `standard` are those that a new app gets on this host. */
export function presetValues(preset: Preset, standard: LimitValues): LimitValues {
  return preset === 'standard' ? { ...standard } : { ...standard, ...CHANGED[preset] };
}

/** Which preset these are. */
export function presetOf(values: LimitValues, standard: LimitValues): Preset | 'custom' {
  const same = (preset: Preset) => {
    const wanted = presetValues(preset, standard);
    return LIMIT_NAMES.every((name) => wanted[name] === values[name]);
  };
  return (['standard', 'small', 'large'] as const).find(same) ?? 'custom';
}
