// The console's languages. Texts lie in locales/<language>/<namespace>.json, one chunk a language; English is
// the model, and scripts/languages.mjs holds the others to it.
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

export const languages = {
  en: { name: 'English', direction: 'ltr' },
  fr: { name: 'Français', direction: 'ltr' },
  'zh-CN': { name: '简体中文', direction: 'ltr' },
  de: { name: 'Deutsch', direction: 'ltr' },
  es: { name: 'Español', direction: 'ltr' },
  ja: { name: '日本語', direction: 'ltr' },
  pt: { name: 'Português', direction: 'ltr' },
  ar: { name: 'العربية', direction: 'rtl' },
} as const;

export type Language = keyof typeof languages;

const STORED = 'lodge.language';
const loaders: Record<Language, () => Promise<{ default: Record<string, object> }>> = {
  en: () => import('./locales/en'),
  fr: () => import('./locales/fr'),
  'zh-CN': () => import('./locales/zh-CN'),
  de: () => import('./locales/de'),
  es: () => import('./locales/es'),
  ja: () => import('./locales/ja'),
  pt: () => import('./locales/pt'),
  ar: () => import('./locales/ar'),
};

/** The first of `wished` (language tags, best first) that there is: `fr-CA` is French. */
export function pick(wished: readonly string[]): Language | null {
  const all = Object.keys(languages) as Language[];
  for (const tag of wished) {
    const base = tag.toLowerCase().split('-')[0];
    const found = all.find((one) => one.toLowerCase() === tag.toLowerCase()) ?? all.find((one) => one.split('-')[0] === base);
    if (found) return found;
  }
  return null;
}

/** What the person chose here; null: follow the host's setting, then the browser. */
export function chosen(): Language | null {
  return pick([localStorage.getItem(STORED) ?? '']);
}

/** The language to show; `host` is the host's setting. */
export function preferred(host: string | null): Language {
  return chosen() ?? pick(host ? [host] : []) ?? pick(navigator.languages) ?? 'en';
}

async function load(language: Language) {
  if (i18next.hasResourceBundle(language, 'common')) return;
  const texts = (await loaders[language]()).default;
  for (const [namespace, bundle] of Object.entries(texts)) i18next.addResourceBundle(language, namespace, bundle);
}

function dress(language: Language) {
  document.documentElement.lang = language;
  document.documentElement.dir = languages[language].direction;
}

export async function startLanguages(language: Language) {
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    defaultNS: 'common',
    resources: {},
    interpolation: { escapeValue: false },
  });
  await load(language);
  await i18next.changeLanguage(language);
  dress(language);
}

/** Shows another language, and remembers it in this browser. */
export async function speak(language: Language) {
  localStorage.setItem(STORED, language);
  await load(language);
  await i18next.changeLanguage(language);
  dress(language);
}
