// The command palette (Ctrl K) and the keyboard's shortcuts. What they show is loaded apart from the first page.
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { useNavigate } from 'react-router';
import { isElsewhere, press, SEQUENCE_MS, SHORTCUTS, type Shown, singleKeys } from './palette/shortcuts';

const load = () => import('./palette/palette');
const Loaded = lazy(load);

export interface Palette {
  shown: Shown | null;
  open: () => void;
  close: () => void;
  show: (what: Shown) => void;
}

export function useCommandPalette(): Palette {
  const [shown, show] = useState<Shown | null>(null);
  const open = useCallback(() => show('palette'), []);
  const close = useCallback(() => show(null), []);
  useShortcuts(show);
  return useMemo(() => ({ shown, open, close, show }), [shown, open, close]);
}

export function CommandPalette(palette: Palette) {
  const [wanted, setWanted] = useState(false);
  if (palette.shown && !wanted) setWanted(true);
  useEffect(() => {
    // Loaded in a quiet moment: what is typed right after Ctrl K must not get lost.
    const timer = setTimeout(() => void load(), 3_000);
    return () => clearTimeout(timer);
  }, []);
  return <Suspense fallback={null}>{wanted && <Loaded {...palette} />}</Suspense>;
}

function useShortcuts(show: (what: (shown: Shown | null) => Shown | null) => void) {
  const navigate = useNavigate();
  useEffect(() => {
    let pending: string | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const listen = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
        event.preventDefault();
        return show((shown) => (shown === 'palette' ? null : 'palette'));
      }
      // A dialog has the keyboard for itself.
      if (isElsewhere(event) || !singleKeys.get() || document.querySelector('[role=dialog][aria-modal=true]')) return;
      const { shortcut, pending: next } = press(pending, event.key);
      clearTimeout(timer);
      pending = next;
      if (next) timer = setTimeout(() => (pending = null), SEQUENCE_MS);
      if (!shortcut) return;
      event.preventDefault();
      const does = SHORTCUTS[shortcut];
      if ('go' in does) void navigate(does.go);
      else show(() => does.show);
    };
    window.addEventListener('keydown', listen);
    return () => {
      window.removeEventListener('keydown', listen);
      clearTimeout(timer);
    };
  }, [navigate, show]);
}
