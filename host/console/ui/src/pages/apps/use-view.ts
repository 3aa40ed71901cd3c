import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';
import { rememberColumns, rememberedColumns } from './columns';
import { parseColumns, parseView, type View, writeView } from './view';

/** How long the address waits for the next letter: browsers refuse to change it at every one. */
const TYPING_MS = 250;

export interface ViewState {
  view: View;
  /** Changes the view, and the address with it; "back" still leaves the page. */
  change: (patch: Partial<View>) => void;
}

interface Typed {
  text: string;
  /** Whether the address has been told; it shows it a moment later. */
  written: boolean;
}

/** The page's view: what the address says. What is typed shows at once and gets into the address a moment later. */
export function useView(): ViewState {
  const [params, setParams] = useSearchParams();
  const [typed, setTyped] = useState<Typed | null>(null);
  const [seen, setSeen] = useState(params);
  if (seen !== params) {
    setSeen(params);
    if (typed?.written) setTyped(null);
  }
  const view = useMemo(() => {
    const inAddress = parseView(params);
    return {
      ...inAddress,
      search: typed?.text ?? inAddress.search,
      columns: inAddress.columns ?? parseColumns(rememberedColumns()),
    };
  }, [params, typed]);

  const latest = useRef({ view, setParams });
  useEffect(() => {
    latest.current = { view, setParams };
  });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const change = useCallback((patch: Partial<View>) => {
    const next = { ...latest.current.view, ...patch };
    latest.current.view = next;
    if ('columns' in patch) rememberColumns(next.columns);
    const write = () => {
      setTyped({ text: latest.current.view.search, written: true });
      latest.current.setParams((old) => writeView(latest.current.view, old), { replace: true });
    };
    clearTimeout(timer.current);
    const onlyTyped = patch.search !== undefined && Object.keys(patch).length === 1;
    if (!onlyTyped) return write();
    setTyped({ text: next.search, written: false });
    timer.current = setTimeout(write, TYPING_MS);
  }, []);
  return { view, change };
}
