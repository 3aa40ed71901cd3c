import { useEffect, useState } from 'react';
import { useFormats } from '../format';

/** A time as people say it ("3 minutes ago"), with the exact one on hover; it goes on while it is shown. */
export function Time({ ms, exact = false }: { ms: number; exact?: boolean }) {
  const { relative, dateTime } = useFormats();
  const [, tick] = useState(0);
  useEffect(() => {
    if (exact) return;
    const timer = setInterval(() => tick((n) => n + 1), 15_000);
    return () => clearInterval(timer);
  }, [exact]);
  return (
    <time dateTime={new Date(ms).toISOString()} title={exact ? relative(ms) : dateTime(ms)}>
      {exact ? dateTime(ms) : relative(ms)}
    </time>
  );
}
