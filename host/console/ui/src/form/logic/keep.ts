// A new app that is half typed is kept through a reload, in this tab only, and without anything secret.
import type { Draft } from './draft';
import { STANDARD } from './limits';

const STORED = 'lodge.new-app';

/** Without values of secrets and without URLs, which hold passwords. */
export function withoutSecrets(draft: Draft): Draft {
  return {
    ...draft,
    database: { ...draft.database, url: '' },
    config: draft.config.map((row) => (row.secret ? { ...row, value: null } : row)),
    data_sources: draft.data_sources.map((row) => ({ ...row, url: '' })),
  };
}

export function keepDraft(draft: Draft) {
  try {
    sessionStorage.setItem(STORED, JSON.stringify({ limits: Object.keys(STANDARD), draft: withoutSecrets(draft) }));
  } catch {
    // The storage is full or forbidden: then a reload loses it.
  }
}

/** The draft that was kept; null if there is none, or it is of another version's shape. */
export function keptDraft(empty: Draft): Draft | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(STORED) ?? 'null') as { limits: string[]; draft: Draft } | null;
    if (!kept || kept.limits.join() !== Object.keys(STANDARD).join()) return null;
    const whole = Object.keys(empty).every((key) => key in kept.draft);
    return whole ? kept.draft : null;
  } catch {
    return null;
  }
}

export const forgetDraft = () => sessionStorage.removeItem(STORED);
