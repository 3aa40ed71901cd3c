import { Typography } from 'antd';
import type { ReactNode } from 'react';
import { AppearanceChoice, LanguageChoice } from '../../app/choices';
import logo from '../../lodge.svg';

/** What stands before the console: one card, and the choices that are each person's. */
export function Door({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="door">
      <header className="door-choices">
        <LanguageChoice />
        <AppearanceChoice />
      </header>
      <main className="door-main">
        <div className="door-card">
          <img src={logo} alt="" width={44} height={44} />
          <Typography.Title level={1}>{title}</Typography.Title>
          {children}
        </div>
      </main>
    </div>
  );
}
