// What an app is doing now, and why, as sentences. Pure: from its record and its counters to what is to be said.
import { type Lately, lately, type Sample } from '../../../api/samples';
import type { AppAnswer, Limits, MeterSnapshot, Observed } from '../../../api/schema';
import { isKnown, type Remedy, remedy } from './reasons';

export type Tone = 'good' | 'info' | 'warning' | 'error';

/** The holes of a sentence; each is written as its name says: `share` in percent, `…_ms` as a time and so on. */
export type Holes = Partial<Record<'count' | 'limit' | 'max', number>> & {
  share?: number;
  cores?: number;
  bytes?: number;
  budget_bytes?: number;
  window_ms?: number;
  limit_ms?: number;
  limit_bytes?: number;
  code?: string;
};

export interface Sentence {
  /** Its text's key under `app:now`. */
  key: string;
  tone: Tone;
  holes: Holes;
  /** Where something can be done about it. */
  go: Remedy;
  /** The environment that it is about, where there are several. */
  place?: string;
}

/** Shares of waiting below this are not worth a sentence. */
const NOTABLE_SHARE = 0.01;
const NEARLY_FULL = 0.9;

export function sentences(app: Pick<AppAnswer, 'observed' | 'limits' | 'start_mode' | 'desired' | 'environments'>, samples: Sample[]): Sentence[] {
  const seen = app.observed ?? [];
  const said = seen.map((observed) => {
    const sentence = ofStatus(observed, app.start_mode);
    return seen.length > 1 ? { ...sentence, place: observed.environment } : sentence;
  });
  if (said.length === 0 && app.desired === 'stopped') said.push(say('stopped', 'info'));
  else if (said.length === 0 && app.environments.length === 0) said.push(say('unplaced', 'warning'));
  const stats = samples.at(-1)?.stats;
  if (!stats) return said;
  const recent = lately(samples);
  const runs = seen.some(({ status }) => status === 'running');
  return [...said, ...(runs ? ofRequests(stats, app.limits) : []), ...ofCpu(recent, app.limits), ...ofMemory(stats, app.limits), ...ofFailures(recent, app.limits)];
}

function say(key: string, tone: Tone, holes: Holes = {}, go: Remedy = null): Sentence {
  return { key, tone, holes, go };
}

function ofStatus(observed: Observed, mode: AppAnswer['start_mode']): Sentence {
  switch (observed.status) {
    case 'running':
      return say('running', 'good');
    case 'waiting':
      return say(mode === 'on_first_visit' ? 'waiting_visit' : 'waiting', 'info');
    case 'preparing':
    case 'starting':
    case 'stopping':
    case 'stopped':
      return say(observed.status, 'info');
    case 'failed':
      return ofCrashes(observed.message ?? '');
    case 'unknown':
      return say('unknown', 'warning');
  }
}

/** The host ends the cause of a failed start with which try it was, and whether another follows. */
function ofCrashes(message: string): Sentence {
  const tries = /\(failed start (\d+) of (\d+)/.exec(message);
  if (!tries) return say('failed', 'error', {}, 'logs');
  const [count, max] = [Number(tries[1]), Number(tries[2])];
  return say(count < max ? 'failed_again' : 'failed_for_good', 'error', { count, max }, 'logs');
}

function ofRequests(stats: MeterSnapshot, limits: Limits): Sentence[] {
  const said: Sentence[] = [];
  if (stats.in_flight > 0) said.push(say('in_flight', 'good', { count: stats.in_flight }));
  else if (stats.queued === 0) said.push(say('idle', 'info'));
  if (stats.queued > 0) {
    const full = limits.concurrency !== undefined && stats.in_flight >= limits.concurrency;
    said.push(say(full ? 'queued_full' : 'queued', 'warning', { count: stats.queued, limit: limits.concurrency }, 'limits'));
  }
  return said;
}

function ofCpu(recent: Lately, limits: Limits): Sentence[] {
  if (recent.ms === 0) return [];
  const said: Sentence[] = [];
  const capped = Math.min(1, recent.cappedMs / recent.ms);
  if (capped >= NOTABLE_SHARE && limits.cpu_cores != null) {
    said.push(say('throttled_cap', 'warning', { share: capped, window_ms: recent.ms, cores: limits.cpu_cores }, 'limits'));
  }
  const crowded = Math.min(1, recent.crowdedMs / recent.ms);
  if (crowded >= NOTABLE_SHARE) said.push(say('throttled_others', 'warning', { share: crowded, window_ms: recent.ms }, 'limits'));
  return said;
}

function ofMemory(stats: MeterSnapshot, limits: Limits): Sentence[] {
  const budget = limits.memory_bytes;
  if (!budget || stats.memory_bytes < budget * NEARLY_FULL) return [];
  return [say('memory', 'warning', { share: stats.memory_bytes / budget, budget_bytes: budget }, 'limits')];
}

function ofFailures(recent: Lately, limits: Limits): Sentence[] {
  const codes = Object.entries(recent.reasons).sort(([, one], [, other]) => other - one);
  const said = codes.map(([code, count]) =>
    say(`reason.${isKnown(code) ? code : 'other'}`, 'error', { count, window_ms: recent.ms, code, ...holesOf(code, limits) }, remedy(code)),
  );
  if (recent.serverErrors > 0) {
    said.push(say('server_errors', 'warning', { count: recent.serverErrors, window_ms: recent.ms }, 'logs'));
  }
  return said;
}

/** The limit that a request met, where it met one. */
function holesOf(code: string, limits: Limits): Holes {
  switch (code) {
    case 'queue_full':
      return { limit: limits.queue };
    case 'queue_timeout':
    case 'overloaded':
      return { limit_ms: limits.queue_timeout_ms };
    case 'deadline_exceeded':
      return { limit_ms: limits.request_timeout_ms };
    case 'cpu_limit_exceeded':
      return { limit_ms: limits.request_cpu_ms };
    case 'body_too_large':
      return { limit_bytes: limits.request_body_bytes };
    case 'app_out_of_memory':
      return { limit_bytes: limits.instance_memory_bytes, budget_bytes: limits.memory_bytes };
    default:
      return {};
  }
}
