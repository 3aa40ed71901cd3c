import { Skeleton, Tabs } from 'antd';
import { type ComponentType, lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
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

/** The sides of an app, each at its own address. */
export function AppTabs({ app, tab }: { app: AppAnswer; tab: string }) {
  const { t } = useTranslation('app');
  const navigate = useNavigate();
  const items = Object.entries(PARTS).map(([key, Part]) => ({
    key,
    label: t(`tab.${key}`),
    children: (
      <Suspense fallback={<Skeleton active paragraph={{ rows: 6 }} />}>
        <Part app={app} />
      </Suspense>
    ),
  }));
  const go = (key: string) => void navigate(key === 'overview' ? `/apps/${app.id}` : `/apps/${app.id}/${key}`);
  return <Tabs className="app-tabs" activeKey={tab} items={items} onChange={go} destroyOnHidden animated={false} />;
}
