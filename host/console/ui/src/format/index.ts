// Numbers, sizes and times as the person's language writes them.
import i18next from 'i18next';
import { useTranslation } from 'react-i18next';

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export interface Formats {
  /** 12345.6 → 12,345.6 */
  number(value: number, digits?: number): string;
  /** 0.123 → 12.3 % */
  percent(share: number, digits?: number): string;
  /** 1536 → 1.5 KiB */
  bytes(value: number): string;
  /** Milliseconds → 340 ms, 1.2 s, 3 min, 2 h, 4 days */
  duration(ms: number): string;
  /** Milliseconds since 1970 → a date and time of this place */
  dateTime(ms: number): string;
  /** … and the day only, with its weekday */
  day(ms: number): string;
  /** … and the time of day only, with seconds */
  time(ms: number, withMillis?: boolean): string;
  /** … and how long ago, or ahead: 3 minutes ago */
  relative(ms: number, now?: number): string;
  /** 0.25 → 0.25 cores */
  cores(value: number): string;
  /** Texts with commas or the like between, as the language has them */
  list(items: string[]): string;
}

const known = new Map<string, Formats>();

/** Formats for a language. */
export function formats(language: string): Formats {
  const found = known.get(language) ?? make(language);
  known.set(language, found);
  return found;
}

/** Makes a formatter when it is first wanted: making one takes longer than using it a hundred times. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

function make(language: string): Formats {
  const rightToLeft = new Intl.Locale(language).language === 'ar';
  const clockOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
  const clock = once(() => new Intl.DateTimeFormat(language, clockOptions));
  const clockMillis = once(() => new Intl.DateTimeFormat(language, { ...clockOptions, fractionalSecondDigits: 3 }));
  // What rounds to nought has no sign.
  const number = (value: number, digits = 1) =>
    new Intl.NumberFormat(language, { maximumFractionDigits: digits, signDisplay: 'negative' }).format(value);
  const unit = (value: number, name: string, digits = 1) =>
    new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: digits }).format(value);
  return {
    number,
    percent: (share, digits = 1) => new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: digits }).format(share),
    bytes(value) {
      let index = 0;
      let amount = value;
      while (amount >= 1024 && index < BYTE_UNITS.length - 1) {
        amount /= 1024;
        index += 1;
      }
      const size = `${number(amount, amount >= 100 || index === 0 ? 0 : 1)}\u00a0${BYTE_UNITS[index]}`;
      // Among letters from right to left, the unit would come first.
      return rightToLeft ? `\u2066${size}\u2069` : size;
    },
    duration(ms) {
      if (ms < 1) return unit(ms, 'millisecond', 2);
      if (ms < 1_000) return unit(ms, 'millisecond', ms < 10 ? 1 : 0);
      if (ms < 60_000) return unit(ms / 1_000, 'second');
      if (ms < 3_600_000) return unit(ms / 60_000, 'minute', 0);
      if (ms < 86_400_000) return unit(ms / 3_600_000, 'hour', 0);
      return unit(ms / 86_400_000, 'day', 0);
    },
    dateTime: (ms) => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(ms),
    day: (ms) => new Intl.DateTimeFormat(language, { dateStyle: 'full' }).format(ms),
    time: (ms, withMillis = false) => (withMillis ? clockMillis() : clock()).format(ms),
    relative(ms, now = Date.now()) {
      const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
      const seconds = Math.round((ms - now) / 1_000);
      const size = Math.abs(seconds);
      if (size < 60) return format.format(seconds, 'second');
      if (size < 3_600) return format.format(Math.round(seconds / 60), 'minute');
      if (size < 86_400) return format.format(Math.round(seconds / 3_600), 'hour');
      if (size < 30 * 86_400) return format.format(Math.round(seconds / 86_400), 'day');
      if (size < 365 * 86_400) return format.format(Math.round(seconds / (30 * 86_400)), 'month');
      return format.format(Math.round(seconds / (365 * 86_400)), 'year');
    },
    cores: (value) => number(value, value < 0.1 ? 3 : 2),
    list: (items) => new Intl.ListFormat(language, { type: 'conjunction' }).format(items),
  };
}

/** Formats for the language shown now. */
export function useFormats(): Formats {
  const { i18n } = useTranslation();
  return formats(i18n.resolvedLanguage ?? i18next.language ?? 'en');
}
