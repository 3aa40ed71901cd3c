import { useCallback } from 'react';
import { useSearchParams } from 'react-router';
import type { LogFilter } from '../../../api/logs';
import type { LogLevel, LogSource } from '../../../api/schema';

export const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
export const SOURCES: readonly LogSource[] = ['app', 'stdout', 'stderr', 'host'];

export interface View extends LogFilter {
  /** Long lines go on in the next row, instead of out of sight. */
  wrap: boolean;
}

/** What an address asks for; what makes no sense in it is left out. */
export function viewOf(params: URLSearchParams): View {
  const level = LEVELS.find((one) => one === params.get('level'));
  const source = SOURCES.find((one) => one === params.get('source'));
  return {
    level: level === 'debug' ? undefined : level,
    source,
    search: params.get('search') || undefined,
    request: params.get('request') || undefined,
    wrap: params.get('wrap') !== 'no',
  };
}

/** Which lines are shown, and how: kept in the address. */
export function useView(): [View, (change: Partial<View>) => void] {
  const [params, setParams] = useSearchParams();
  const change = useCallback(
    (next: Partial<View>) =>
      setParams(
        (before) => {
          for (const [name, value] of Object.entries(next)) {
            const text = name === 'wrap' ? (value ? '' : 'no') : String(value ?? '');
            text ? before.set(name, text) : before.delete(name);
          }
          return before;
        },
        { replace: true },
      ),
    [setParams],
  );
  return [viewOf(params), change];
}
