import type { ReactNode } from 'react';
import './facts.css';

export interface Fact {
  key: string;
  label: ReactNode;
  value: ReactNode;
}

/** What is known about one thing: names beside values, one beneath the other on phones. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className="fact-list">
      {facts.map(({ key, label, value }) => (
        <div key={key}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
