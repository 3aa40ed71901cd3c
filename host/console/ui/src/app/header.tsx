import { GlobalOutlined, MenuOutlined, MoonOutlined, SearchOutlined, UserOutlined } from '@ant-design/icons';
import { Badge, Button, Drawer, Dropdown, Grid, Layout, type MenuProps, Tooltip } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { signOut, useMe } from '../api/auth';
import { useLiveness } from '../api/live';
import { type Language, languages, speak } from '../i18n';
import { ChangePassword } from '../pages/sign-in/change-password';
import { CommandPalette, useCommandPalette } from './command-palette';
import { Pages } from './side-menu';
import { type Appearance, useAppearance } from './theme';

export function Header() {
  const { t } = useTranslation();
  const screens = Grid.useBreakpoint();
  const [menu, setMenu] = useState(false);
  const palette = useCommandPalette();
  return (
    <Layout.Header className="head">
      {!screens.md && <Button type="text" icon={<MenuOutlined />} aria-label={t('nav.open')} onClick={() => setMenu(true)} />}
      <Drawer open={menu} onClose={() => setMenu(false)} placement="left" size={264} title="Lodge">
        <Pages onGo={() => setMenu(false)} />
      </Drawer>
      <Button className="search" icon={<SearchOutlined />} onClick={palette.open} aria-label={screens.sm ? undefined : t('header.search')}>
        {screens.sm && (
          <>
            <span className="search-text">{t('header.search')}</span>
            <kbd aria-hidden>{navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl'} K</kbd>
          </>
        )}
      </Button>
      <CommandPalette {...palette} />
      <span className="grow" />
      <Liveness />
      <LanguageChoice />
      <AppearanceChoice />
      <Account />
    </Layout.Header>
  );
}

function Liveness() {
  const { t } = useTranslation();
  const liveness = useLiveness();
  if (liveness === 'connecting') return null;
  return (
    <Tooltip title={t(`header.${liveness}_why`)}>
      <span className="liveness" role="status">
        <Badge status={liveness === 'live' ? 'success' : 'warning'} text={<span className="liveness-text">{t(`header.${liveness}`)}</span>} />
      </span>
    </Tooltip>
  );
}

function LanguageChoice() {
  const { t, i18n } = useTranslation();
  const items: MenuProps['items'] = Object.entries(languages).map(([key, { name }]) => ({
    key,
    label: <span lang={key}>{name}</span>,
  }));
  return (
    <Dropdown trigger={['click']} menu={{ items, selectedKeys: [i18n.language], onClick: ({ key }) => void speak(key as Language) }}>
      <Button type="text" icon={<GlobalOutlined />} aria-label={t('header.language')} />
    </Dropdown>
  );
}

function AppearanceChoice() {
  const { t } = useTranslation();
  const [appearance, choose] = useAppearance();
  const items = (['system', 'light', 'dark'] as const).map((key) => ({ key, label: t(`header.theme_${key}`) }));
  return (
    <Dropdown trigger={['click']} menu={{ items, selectedKeys: [appearance], onClick: ({ key }) => choose(key as Appearance) }}>
      <Button type="text" icon={<MoonOutlined />} aria-label={t('header.theme')} />
    </Dropdown>
  );
}

function Account() {
  const { t } = useTranslation();
  const me = useMe(false);
  const [changing, setChanging] = useState(false);
  const items: MenuProps['items'] = [
    { key: 'email', type: 'group', label: me.data?.email },
    { key: 'password', label: t('header.change_password') },
    { key: 'out', label: t('header.sign_out') },
  ];
  const choose = (key: string) => {
    if (key === 'password') setChanging(true);
    if (key === 'out') void signOut();
  };
  return (
    <>
      <Dropdown trigger={['click']} menu={{ items, onClick: ({ key }) => choose(key) }}>
        <Button type="text" icon={<UserOutlined />} aria-label={t('header.account')} />
      </Dropdown>
      {changing && <ChangePassword onClose={() => setChanging(false)} />}
    </>
  );
}
