import { CheckCircleFilled, MenuOutlined, SearchOutlined, SyncOutlined, UserOutlined } from '@ant-design/icons';
import { Button, Drawer, Dropdown, Grid, Layout, type MenuProps, Tooltip } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { signOut, useMe } from '../api/auth';
import { useLiveness } from '../api/live';
import { ChangePassword } from '../pages/sign-in/change-password';
import { AppearanceChoice, LanguageChoice } from './choices';
import { CommandPalette, useCommandPalette } from './command-palette';
import { Brand, Pages } from './side-menu';

export function Header() {
  const { t, i18n } = useTranslation();
  const screens = Grid.useBreakpoint();
  const [menu, setMenu] = useState(false);
  const palette = useCommandPalette();
  return (
    <Layout.Header className="head">
      {!screens.md && <Button type="text" icon={<MenuOutlined />} aria-label={t('nav.open')} onClick={() => setMenu(true)} />}
      <Drawer
        open={menu && !screens.md}
        onClose={() => setMenu(false)}
        placement={i18n.dir() === 'rtl' ? 'right' : 'left'}
        size={280}
        rootClassName="menu-drawer"
        title={<Brand onGo={() => setMenu(false)} />}
        closable={{ placement: 'end', 'aria-label': t('nav.close') }}
      >
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
      <span className={`liveness ${liveness}`} role="status">
        {liveness === 'live' ? <CheckCircleFilled /> : <SyncOutlined spin />}
        <span className="liveness-text">{t(`header.${liveness}`)}</span>
      </span>
    </Tooltip>
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
        <Button type="text" icon={<UserOutlined />} aria-label={t('header.account')} title={t('header.account')} />
      </Dropdown>
      {changing && <ChangePassword onClose={() => setChanging(false)} />}
    </>
  );
}
