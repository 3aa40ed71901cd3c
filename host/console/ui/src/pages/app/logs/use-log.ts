import { useEffect, useReducer, useState } from 'react';
import { follow, type LogFilter } from '../../../api/logs';
import type { LogLine } from '../../../api/schema';
import { advance, EMPTY, type Tail, type TailEvent } from './tail';

/** Lines that come within this time are drawn at once: a busy app writes hundreds a second. */
const TOGETHER_MS = 80;

export interface Log {
  tail: Tail;
  dispatch: (event: TailEvent) => void;
  /** How new lines come; undefined while that is found out. */
  link: 'live' | 'polling' | undefined;
  /** Why the log could not be read, until it can. */
  error: unknown;
}

/** The lines of an app's log that a filter lets through, as they are written. */
export function useLog(id: string, filter: LogFilter): Log {
  const { level, source, search, request } = filter;
  const [tail, dispatch] = useReducer(advance, EMPTY);
  const [link, setLink] = useState<Log['link']>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    dispatch({ type: 'clear' });
    let waiting: LogLine[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      dispatch({ type: 'lines', lines: waiting });
      waiting = [];
    };
    const stop = follow(
      id,
      { level, source, search, request },
      {
        onLines: (lines) => {
          setError(undefined);
          waiting.push(...lines);
          timer ??= setTimeout(flush, TOGETHER_MS);
        },
        onDropped: (count) => dispatch({ type: 'dropped', count }),
        onLink: setLink,
        onError: setError,
      },
    );
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [id, level, source, search, request]);
  return { tail, dispatch, link, error };
}
