import { useCallback, useMemo, useState } from 'react';

export interface Palette {
  shown: boolean;
  open: () => void;
  close: () => void;
}

export function useCommandPalette(): Palette {
  const [shown, setShown] = useState(false);
  const open = useCallback(() => setShown(true), []);
  const close = useCallback(() => setShown(false), []);
  return useMemo(() => ({ shown, open, close }), [shown, open, close]);
}

export function CommandPalette(_: Palette) {
  return null;
}
