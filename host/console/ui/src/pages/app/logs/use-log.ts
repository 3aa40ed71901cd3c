import { useEffect, useReducer, useState } from 'react';
import { follow, type LogFilter } from '../../../api/logs';
import { advance, EMPTY, type Tail, type TailEvent } from './tail';

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
    return follow(
      id,
      { level, source, search, request },
      {
        onLines: (lines) => {
          setError(undefined);
          dispatch({ type: 'lines', lines });
        },
        onDropped: (count) => dispatch({ type: 'dropped', count }),
        onLink: setLink,
        onError: setError,
      },
    );
  }, [id, level, source, search, request]);
  return { tail, dispatch, link, error };
}
