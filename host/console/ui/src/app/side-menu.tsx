import {
  ApiOutlined,
  AppstoreOutlined,
  BlockOutlined,
  CloudServerOutlined,
  HistoryOutlined,
  InfoCircleOutlined,
  SettingOutlined,
} from '@ant-design/icons';
import { Grid, Layout, Menu } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'react-router';
import logo from '../lodge.svg';

const PAGES = [
  ['apps', <AppstoreOutlined key="apps" />],
  ['components', <BlockOutlined key="components" />],
  ['environments', <CloudServerOutlined key="environments" />],
  ['activity', <HistoryOutlined key="activity" />],
  ['tokens', <ApiOutlined key="tokens" />],
  ['settings', <SettingOutlined key="settings" />],
  ['about', <InfoCircleOutlined key="about" />],
] as const;

/** The menu beside the page; on narrow screens the head has it behind a button. */
export function SideMenu() {
  const screens = Grid.useBreakpoint();
  if (!screens.md) return null;
  return (
    <Layout.Sider width={224} collapsedWidth={64} collapsed={!screens.xl} className="sider">
      <Brand />
      <Pages />
    </Layout.Sider>
  );
}

/** The name of the house, and the way home. */
export function Brand({ onGo }: { onGo?: () => void }) {
  return (
    <Link to="/apps" className="brand" onClick={onGo} aria-label="Lodge">
      <img src={logo} alt="" width={28} height={28} />
      <span className="brand-name">Lodge</span>
    </Link>
  );
}

/** The links themselves. */
export function Pages({ onGo }: { onGo?: () => void }) {
  const { t } = useTranslation();
  const here = useLocation().pathname.split('/')[1] ?? 'apps';
  return (
    <nav aria-label={t('nav.label')}>
      <Menu
        mode="inline"
        className="pages"
        selectedKeys={[here]}
        onClick={onGo}
        items={PAGES.map(([page, icon]) => ({ key: page, icon, label: <Link to={`/${page}`}>{t(`nav.${page}`)}</Link> }))}
      />
    </nav>
  );
}
