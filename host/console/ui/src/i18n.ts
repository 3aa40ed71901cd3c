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
type Texts = Promise<{ default: Record<string, object> }>;

/** What the first page needs, and the rest: a chunk each. */
const loaders: Record<Language, [first: () => Texts, rest: () => Texts]> = {
  en: [() => import('./locales/en'), () => import('./locales/en/rest')],
  fr: [() => import('./locales/fr'), () => import('./locales/fr/rest')],
  'zh-CN': [() => import('./locales/zh-CN'), () => import('./locales/zh-CN/rest')],
  de: [() => import('./locales/de'), () => import('./locales/de/rest')],
  es: [() => import('./locales/es'), () => import('./locales/es/rest')],
  ja: [() => import('./locales/ja'), () => import('./locales/ja/rest')],
  pt: [() => import('./locales/pt'), () => import('./locales/pt/rest')],
  ar: [() => import('./locales/ar'), () => import('./locales/ar/rest')],
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

/** Whether a page was opened that needs the rest. */
let whole = false;

async function load(language: Language) {
  const [first, rest] = loaders[language];
  await Promise.all([add(language, 'common', first), whole ? add(language, 'app', rest) : undefined]);
}

/** Adds a chunk of texts, unless it is there: `sign` is one of its namespaces. */
async function add(language: Language, sign: string, chunk: () => Texts) {
  if (i18next.hasResourceBundle(language, sign)) return;
  for (const [namespace, bundle] of Object.entries((await chunk()).default)) i18next.addResourceBundle(language, namespace, bundle);
}

/** Ends when it is known which language to speak. */
const { promise: known, resolve: nowKnown } = Promise.withResolvers<Language>();

/** Sees that a page beyond the first has its texts. The router asks before there is a language. */
export async function allTexts() {
  whole = true;
  await known;
  await load(i18next.language as Language);
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
  nowKnown(language);
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
