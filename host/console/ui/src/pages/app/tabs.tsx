import { Skeleton } from 'antd';
import { type ComponentType, lazy, Suspense, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { AppAnswer } from '../../api/schema';
import { ActivityPart } from './activity';
import { DangerPart } from './danger';
import { DatabasePart } from './database';
import { LogsPart } from './logs/logs';
import { Overview } from './overview/overview';

type Part = ComponentType<{ app: AppAnswer }>;

// Forms are chunks of their own: most visits are for how the app does.
const PARTS: Record<string, Part> = {
  overview: Overview,
  logs: LogsPart,
  component: lazy(async () => ({ default: (await import('./parts/component')).ComponentPart })),
  limits: lazy(async () => ({ default: (await import('./parts/limits')).LimitsPart })),
  config: lazy(async () => ({ default: (await import('./parts/config')).ConfigPart })),
  access: lazy(async () => ({ default: (await import('./parts/access')).AccessPart })),
  database: DatabasePart,
  activity: ActivityPart,
  settings: lazy(async () => ({ default: (await import('./parts/settings')).SettingsPart })),
  danger: DangerPart,
};

export const isTab = (tab: string) => Object.hasOwn(PARTS, tab);

/** The sides of an app. Each has an address, so they are links; on narrow screens the strip scrolls. */
export function AppTabs({ app, tab }: { app: AppAnswer; tab: string }) {
  const { t } = useTranslation('app');
  const strip = useRef<HTMLElement>(null);
  useEffect(() => {
    strip.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [tab]);
  const Shown = PARTS[tab] ?? Overview;
  return (
    <>
      <nav ref={strip} className="app-tabs" aria-label={t('parts')}>
        <ul>
          {Object.keys(PARTS).map((key) => (
            <li key={key}>
              <Link to={key === 'overview' ? `/apps/${app.id}` : `/apps/${app.id}/${key}`} aria-current={key === tab ? 'page' : undefined}>
                {t(`tab.${key}`)}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <Suspense fallback={<Skeleton active paragraph={{ rows: 6 }} />}>
        <Shown key={tab} app={app} />
      </Suspense>
    </>
  );
}
