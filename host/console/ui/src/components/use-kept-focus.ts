import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';

/**
 * A button that goes with its own effect ("Stop" of what has stopped) would take the focus with it, and whoever uses
 * a keyboard would begin at the top of the page again: what is left of its group gets it.
 */
export function useKeptFocus(group: RefObject<HTMLElement | null>) {
  const within = useRef(false);
  useEffect(() => {
    const note = (event: Event) => {
      within.current = group.current?.contains(event.target as Node) ?? false;
    };
    document.addEventListener('focusin', note);
    document.addEventListener('pointerdown', note);
    return () => {
      document.removeEventListener('focusin', note);
      document.removeEventListener('pointerdown', note);
    };
  }, [group]);
  useLayoutEffect(() => {
    if (!within.current || document.activeElement !== document.body) return;
    group.current?.querySelector<HTMLElement>('button:not([disabled]), a[href]')?.focus();
  });
}
