// The settings as they are edited, and what of a change is sent.
import type { LimitsPatch, Settings, SettingsPatch } from '../../api/schema';
import { LIMIT_NAMES, type LimitName, LIMITS, type LimitValues } from '../../form/logic/limits';

export interface Draft {
  /** Null: as built in. */
  limits: LimitValues;
  proxies: string[];
  /** Null: that of the browser. */
  language: string | null;
}

export function draftOf({ default_limits, trusted_proxies, language }: Settings): Draft {
  return {
    limits: Object.fromEntries(LIMIT_NAMES.map((name) => [name, default_limits[name] ?? null])) as LimitValues,
    proxies: trusted_proxies.cidrs,
    language: language ?? null,
  };
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** What makes `from` into `to`; null: nothing. Limits and proxies go as a whole, since the host replaces them so. */
export function patchOf(from: Draft, to: Draft): SettingsPatch | null {
  const patch: SettingsPatch = {};
  if (!same(from.limits, to.limits)) {
    patch.default_limits = Object.fromEntries(Object.entries(to.limits).filter(([, value]) => value !== null)) as LimitsPatch;
  }
  if (!same(from.proxies, to.proxies)) patch.trusted_proxies = to.proxies;
  if (from.language !== to.language) patch.language = to.language;
  return Object.keys(patch).length > 0 ? patch : null;
}

/** Limits outside of what the host takes. */
export function limitsOutOfRange(limits: LimitValues): LimitName[] {
  return LIMIT_NAMES.filter((name) => {
    const value = limits[name];
    return value !== null && (value < LIMITS[name].min || value > LIMITS[name].max);
  });
}
