// Readings of an app's counters, kept for a minute, so that a page can say what happened lately.
import type { MeterSnapshot } from './schema';

export interface Sample {
  /** When it was read, in milliseconds since 1970. */
  at: number;
  stats: MeterSnapshot;
}

/** How far back readings go: a minute, and a little more so that the oldest is always a minute old. */
export const WINDOW_MS = 60_000;
const KEEP_MS = WINDOW_MS + 5_000;

/** The readings with a new one; those before a restart of the host, which counts from nought, are dropped. */
export function withSample(samples: Sample[], sample: Sample): Sample[] {
  const last = samples.at(-1);
  if (last && restarted(last.stats, sample.stats)) return [sample];
  return [...samples.filter((one) => sample.at - one.at <= KEEP_MS && one.at < sample.at), sample];
}

function restarted(before: MeterSnapshot, now: MeterSnapshot): boolean {
  return now.answered < before.answered || now.cpu_ms < before.cpu_ms || now.instantiations < before.instantiations;
}

/** What happened between the first and the last reading. */
export interface Lately {
  /** Over which time, in milliseconds; 0: there is one reading only. */
  ms: number;
  requests: number;
  failures: number;
  serverErrors: number;
  /** CPU, in cores. */
  cores: number;
  /** Time guests waited because of the app's own cap, in milliseconds. */
  cappedMs: number;
  /** … and because others wanted the CPU too. */
  crowdedMs: number;
  /** Requests that failed, by code; none that is nought. */
  reasons: Record<string, number>;
}

export function lately(samples: Sample[], windowMs = WINDOW_MS): Lately {
  const last = samples.at(-1);
  const first = last && samples.find((one) => last.at - one.at <= windowMs);
  if (!first || !last || first === last) {
    return { ms: 0, requests: 0, failures: 0, serverErrors: 0, cores: 0, cappedMs: 0, crowdedMs: 0, reasons: {} };
  }
  const ms = last.at - first.at;
  const moved = (of: (stats: MeterSnapshot) => number | undefined) => Math.max(0, (of(last.stats) ?? 0) - (of(first.stats) ?? 0));
  const failures = moved(failed);
  const cappedMs = moved((stats) => stats.capped_ms);
  return {
    ms,
    requests: moved((stats) => stats.answered + stats.cancelled) + failures,
    failures,
    serverErrors: moved((stats) => stats.server_errors),
    cores: moved((stats) => stats.cpu_ms) / ms,
    cappedMs,
    crowdedMs: Math.max(0, moved((stats) => stats.throttled_ms) - cappedMs),
    reasons: reasonsSince(first.stats, last.stats),
  };
}

function failed(stats: MeterSnapshot): number {
  return stats.refused + stats.timed_out + stats.trapped + stats.out_of_memory + stats.cpu_limited;
}

function reasonsSince(before: MeterSnapshot, now: MeterSnapshot): Record<string, number> {
  const moved = reasonsOf(now).map(([code, count]): [string, number] => [code, count - (before.reasons?.[code] ?? 0)]);
  return Object.fromEntries(moved.filter(([, count]) => count > 0));
}

/** Requests that failed since the host started, the most frequent reason first. */
export function reasonsOf(stats: MeterSnapshot): [code: string, count: number][] {
  return Object.entries(stats.reasons ?? {})
    .filter(([, count]) => count > 0)
    .sort(([one, more], [other, less]) => less - more || one.localeCompare(other));
}
