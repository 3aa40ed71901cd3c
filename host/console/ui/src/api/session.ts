// Whether somebody is signed in, for the whole page: the cookie itself is out of scripts' reach.
import { useSyncExternalStore } from 'react';

/** `expired`: was signed in, and a request was refused since: a dialog asks for the password over the page. */
export type SessionState = 'unknown' | 'out' | 'in' | 'expired';

let state: SessionState = 'unknown';
const listeners = new Set<() => void>();
let waiting: { resolve: () => void; reject: (reason: Error) => void }[] = [];

export const session = {
  get: () => state,
  set(next: SessionState) {
    if (next === state) return;
    state = next;
    if (next === 'in' || next === 'out') {
      const settled = waiting;
      waiting = [];
      for (const { resolve, reject } of settled) next === 'in' ? resolve() : reject(new Error('signed out'));
    }
    for (const listener of listeners) listener();
  },
  /** Asks for a new sign-in and ends when there is one; fails if the person signs out instead. */
  renewed(): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
    session.set('expired');
    return promise;
  },
};

export function useSession(): SessionState {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, session.get);
}
