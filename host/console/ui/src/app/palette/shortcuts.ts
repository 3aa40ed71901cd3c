// Which keys do what, wherever one is.

export const SHORTCUTS = {
  'g a': { go: '/apps' },
  'g c': { go: '/components' },
  'g e': { go: '/environments' },
  'g l': { go: '/activity' },
  n: { go: '/apps/new' },
  '/': { show: 'palette' },
  '?': { show: 'shortcuts' },
} as const satisfies Record<string, { go: string } | { show: Shown }>;

export type Shown = 'palette' | 'shortcuts';
export type Shortcut = keyof typeof SHORTCUTS;

/** How long one may take from the first key to the second. */
export const SEQUENCE_MS = 1_500;

/** What a key does after `pending`, the key before it: a shortcut, the beginning of one, or nothing. */
export function press(pending: string | null, key: string): { shortcut: Shortcut | null; pending: string | null } {
  const keys = Object.keys(SHORTCUTS) as Shortcut[];
  const sequence = pending === null ? key : `${pending} ${key}`;
  const shortcut = keys.find((one) => one === sequence) ?? keys.find((one) => one === key) ?? null;
  const begins = shortcut === null && keys.some((one) => one.startsWith(`${key} `));
  return { shortcut, pending: begins ? key : null };
}

/** Whether a key belongs to what has the focus, or to the browser. */
export function isElsewhere(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest('textarea, select, [contenteditable]:not([contenteditable=false]), [role=textbox], [role=combobox], [role=listbox], [role=menu]')) return true;
  const input = target?.closest('input');
  return input != null && !['checkbox', 'radio', 'button', 'submit'].includes(input.type);
}

const STORED = 'lodge.shortcuts';

/** Single keys can be turned off: who speaks to the computer, or touches keys by accident, presses them unawares. */
export const singleKeys = {
  get: () => localStorage.getItem(STORED) !== 'off',
  set: (on: boolean) => (on ? localStorage.removeItem(STORED) : localStorage.setItem(STORED, 'off')),
};
