import type { TFunction } from 'i18next';
import { useCallback } from 'react';
import { useFormats } from '../format';
import { type LimitName, LIMITS } from './logic/limits';
import type { Broken } from './logic/rules';

/** What a broken rule says, with its numbers as people write them. */
export function useRuleText(t: TFunction<'form'>) {
  const limitText = useLimitText(t);
  return useCallback(
    ({ rule, values }: Broken): string => {
      if (rule !== 'limit_range') return t(`rule.${rule}`, values);
      const name = values?.name as LimitName;
      return t('rule.limit_range', { min: limitText(name, Number(values?.min)), max: limitText(name, Number(values?.max)) });
    },
    [t, limitText],
  );
}

/** A limit's value in words: 128 MiB, 5 s, no cap. */
export function useLimitText(t: TFunction<'form'>) {
  const { bytes, duration, number } = useFormats();
  const words = (name: LimitName, value: number | null): string => {
    if (value === null) return t(`limit.${name}.none`);
    switch (LIMITS[name].unit) {
      case 'bytes':
        return bytes(value);
      case 'bytes_per_second':
        return t('unit.per_second', { amount: bytes(value) });
      case 'ms':
        return duration(value);
      case 'cores':
        return t('unit.cores', { count: value, amount: number(value, 2) });
      default:
        return number(value);
    }
  };
  return words;
}
