// What each person chooses for this browser: the language, and light or dark.
import { DesktopOutlined, GlobalOutlined, MoonOutlined, SunOutlined } from '@ant-design/icons';
import { Button, Dropdown, type MenuProps } from 'antd';
import { useTranslation } from 'react-i18next';
import { type Language, languages, speak } from '../i18n';
import { type Appearance, useAppearance } from './theme';

export function LanguageChoice() {
  const { t, i18n } = useTranslation();
  const items: MenuProps['items'] = Object.entries(languages).map(([key, { name }]) => ({
    key,
    label: <span lang={key}>{name}</span>,
  }));
  return (
    <Dropdown trigger={['click']} menu={{ items, selectedKeys: [i18n.language], onClick: ({ key }) => void speak(key as Language) }}>
      <Button type="text" icon={<GlobalOutlined />} aria-label={t('header.language')} title={t('header.language')} />
    </Dropdown>
  );
}

const APPEARANCES = { system: <DesktopOutlined />, light: <SunOutlined />, dark: <MoonOutlined /> };

export function AppearanceChoice() {
  const { t } = useTranslation();
  const [appearance, choose] = useAppearance();
  const items = (['system', 'light', 'dark'] as const).map((key) => ({ key, icon: APPEARANCES[key], label: t(`header.theme_${key}`) }));
  return (
    <Dropdown trigger={['click']} menu={{ items, selectedKeys: [appearance], onClick: ({ key }) => choose(key as Appearance) }}>
      <Button type="text" icon={APPEARANCES[appearance]} aria-label={t('header.theme')} title={t('header.theme')} />
    </Dropdown>
  );
}
