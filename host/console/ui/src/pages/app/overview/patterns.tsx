import type { Outcome } from './history';

export const patternOf = (outcome: Outcome) => `url(#outcome-${outcome})`;

/** What is drawn over the colour of each outcome, so that they differ without colour. */
const MARKS: Record<Outcome, string> = {
  answered: '',
  refused: 'M0 6L6 0',
  timed_out: 'M0 3H6',
  trapped: 'M0 0L6 6M0 6L6 0',
  out_of_memory: 'M3 2V4M2 3H4',
  cpu_limited: 'M3 0V6',
  cancelled: 'M0 0L6 6',
};

/** The fills of bars. */
export function Patterns() {
  return (
    <defs>
      {(Object.keys(MARKS) as Outcome[]).map((outcome) => (
        <Pattern key={outcome} outcome={outcome} id={`outcome-${outcome}`} />
      ))}
    </defs>
  );
}

function Pattern({ outcome, id }: { outcome: Outcome; id: string }) {
  return (
    <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse">
      <rect width="6" height="6" fill={`var(--chart-${outcome})`} />
      {MARKS[outcome] && <path d={MARKS[outcome]} stroke="var(--chart-mark)" strokeWidth="1.2" />}
    </pattern>
  );
}

/** An outcome's fill in a legend. */
export function Swatch({ outcome }: { outcome: Outcome }) {
  const id = `swatch-${outcome}`;
  return (
    <svg width="14" height="14" aria-hidden className="swatch">
      <defs>
        <Pattern outcome={outcome} id={id} />
      </defs>
      <rect width="14" height="14" rx="3" fill={`url(#${id})`} />
    </svg>
  );
}
