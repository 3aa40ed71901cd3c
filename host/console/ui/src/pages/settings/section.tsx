import type { ReactNode } from 'react';

interface Props {
  title: string;
  about: string;
  children: ReactNode;
}

export function Section({ title, about, children }: Props) {
  return (
    <section className="form-section">
      <h2>{title}</h2>
      <p className="section-about">{about}</p>
      {children}
    </section>
  );
}
