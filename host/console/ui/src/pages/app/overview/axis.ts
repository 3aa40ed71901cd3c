// Times on charts, as the person's language writes them.
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Range } from '../../../api/stats';

export interface AxisTimes {
  /** Under the axis: the time of day, or the day. */
  tick(ms: number): string;
  /** In tables and beside the pointer. */
  full(ms: number): string;
}

export function useAxisTimes(range: Range): AxisTimes {
  const { i18n } = useTranslation();
  const language = i18n.language;
  return useMemo(() => {
    const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    const tick = new Intl.DateTimeFormat(language, range === 'week' ? { weekday: 'short', day: 'numeric' } : clock);
    const full = new Intl.DateTimeFormat(language, range === 'hour' ? clock : { weekday: 'short', day: 'numeric', month: 'short', ...clock });
    return { tick: (ms) => tick.format(ms), full: (ms) => full.format(ms) };
  }, [language, range]);
}
