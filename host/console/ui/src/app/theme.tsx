// How the console looks: Ant Design's theme in Lodge's colours, light or dark, in the language's direction.
import { App, ConfigProvider, theme } from 'antd';
import type { Locale } from 'antd/es/locale';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Language, languages } from '../i18n';
import { nonce } from './nonce';

export type Appearance = 'system' | 'light' | 'dark';

const STORED = 'lodge.appearance';

const antd: Record<Language, () => Promise<{ default: Locale }>> = {
  en: () => import('antd/locale/en_US'),
  fr: () => import('antd/locale/fr_FR'),
  'zh-CN': () => import('antd/locale/zh_CN'),
  de: () => import('antd/locale/de_DE'),
  es: () => import('antd/locale/es_ES'),
  ja: () => import('antd/locale/ja_JP'),
  pt: () => import('antd/locale/pt_PT'),
  ar: () => import('antd/locale/ar_EG'),
};

const UNTIL_LOADED: Locale = { locale: 'en' };

// Tints that Ant Design would derive from colours this dark are grey.
const TINTS = {
  colorSuccessBg: '#ecf6ed',
  colorSuccessBorder: '#b7dcb9',
  colorWarningBg: '#fdf4e3',
  colorWarningBorder: '#efd5a0',
  colorErrorBg: '#fdf0ef',
  colorErrorBorder: '#f1c5c2',
  colorInfoBg: '#e9f3ee',
  colorInfoBorder: '#b5d5c4',
};

const AppearanceContext = createContext<[Appearance, (next: Appearance) => void]>(['system', () => undefined]);

/** The chosen appearance, and how to change it. */
export const useAppearance = () => useContext(AppearanceContext);

export function Theme({ children }: { children: ReactNode }) {
  const { i18n } = useTranslation();
  const language = (i18n.language in languages ? i18n.language : 'en') as Language;
  const [appearance, setAppearance] = useState<Appearance>(() => (localStorage.getItem(STORED) as Appearance | null) ?? 'system');
  const [locale, setLocale] = useState<Locale>();
  const dark = useDark(appearance);
  useEffect(() => {
    void antd[language]().then((loaded) => setLocale(loaded.default));
  }, [language]);
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
  }, [dark]);
  const chosen = useMemo<[Appearance, (next: Appearance) => void]>(() => {
    const choose = (next: Appearance) => {
      localStorage.setItem(STORED, next);
      setAppearance(next);
    };
    return [appearance, choose];
  }, [appearance]);
  return (
    <AppearanceContext value={chosen}>
      <ConfigProvider
        csp={{ nonce }}
        direction={languages[language].direction}
        // Never undefined: the provider would mount everything anew when the texts come, and lose what was typed.
        locale={locale ?? UNTIL_LOADED}
        theme={{
          algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
          token: {
            // White on it has 4.6 : 1; as text in the dark it is too dim, see the parts below.
            colorPrimary: dark ? '#3d8261' : '#2f6b4f',
            colorInfo: dark ? '#4a8fc0' : '#2a6a99',
            colorLink: dark ? '#7fc7a2' : '#2a6147',
            // As text on their own tints, the defaults are below 4.5 : 1.
            colorSuccess: dark ? '#5fb85f' : '#2c7a33',
            colorWarning: dark ? '#dba13a' : '#94590a',
            colorError: dark ? '#f07b75' : '#c22f2b',
            ...(dark ? {} : TINTS),
            borderRadius: 8,
            motion: !matchMedia('(prefers-reduced-motion: reduce)').matches,
            fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
            // The defaults of secondary text and placeholders are below 4.5 : 1.
            colorTextSecondary: dark ? '#a9b4ae' : '#56625b',
            colorTextTertiary: dark ? '#95a29b' : '#626d67',
            colorTextDescription: dark ? '#a9b4ae' : '#56625b',
            colorTextPlaceholder: dark ? '#8f9b95' : '#6a756f',
            colorBgLayout: dark ? '#131715' : '#f6f7f4',
            colorBgContainer: dark ? '#1b211e' : '#ffffff',
            colorBgElevated: dark ? '#212824' : '#ffffff',
          },
          components: {
            // Words on filled buttons: 4.5 : 1 in the dark too.
            Button: dark ? { colorPrimary: '#3e7b5f', colorPrimaryHover: '#478a6b', colorPrimaryActive: '#356b52', dangerColor: '#1f0b0a' } : {},
            Layout: { siderBg: dark ? '#181d1a' : '#ffffff', headerBg: dark ? '#181d1a' : '#ffffff' },
            Menu: {
              itemSelectedBg: dark ? '#26382f' : '#e6f0ea',
              itemSelectedColor: dark ? '#9ad9b8' : '#21543c',
              itemActiveBg: dark ? '#26382f' : '#e6f0ea',
            },
            // Rows and options that are chosen: a tint, not the dark green itself.
            Table: { rowSelectedBg: dark ? '#22302a' : '#eef5f1', rowSelectedHoverBg: dark ? '#26382f' : '#e6f0ea' },
            Tabs: { itemSelectedColor: dark ? '#7fc7a2' : '#21543c', itemHoverColor: dark ? '#9ad9b8' : '#2f6b4f', inkBarColor: dark ? '#7fc7a2' : '#2f6b4f' },
            Select: { optionSelectedBg: dark ? '#26382f' : '#e6f0ea' },
          },
        }}
      >
        <App component="div" className="lodge">
          {children}
        </App>
      </ConfigProvider>
    </AppearanceContext>
  );
}

function useDark(appearance: Appearance): boolean {
  const [system, setSystem] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const listen = () => setSystem(query.matches);
    query.addEventListener('change', listen);
    return () => query.removeEventListener('change', listen);
  }, []);
  return appearance === 'system' ? system : appearance === 'dark';
}
