// Every language has every key of English, no other, and the same {{placeholders}}: fails when one has not.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../src/locales/', import.meta.url).pathname;
const languages = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
const plural = /_(zero|one|two|few|many|other)$/;

function flat(value, prefix = '', into = {}) {
  for (const [key, child] of Object.entries(value)) {
    if (typeof child === 'string') into[prefix + key] = child;
    else flat(child, `${prefix}${key}.`, into);
  }
  return into;
}

function read(language) {
  const all = {};
  for (const file of readdirSync(join(root, language)).filter((name) => name.endsWith('.json'))) {
    const text = readFileSync(join(root, language, file), 'utf8');
    Object.assign(all, flat(JSON.parse(text), `${file.replace('.json', '')}:`));
  }
  return all;
}

const holes = (text) => [...text.matchAll(/\{\{\s*(\w+)[^}]*\}\}|<\/?(\w+)>/g)].map((m) => m[0].replace(/\s/g, '')).sort();
const english = read('en');
const problems = [];
for (const language of languages.filter((name) => name !== 'en')) {
  const texts = read(language);
  const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  const wanted = new Map();
  for (const [key, text] of Object.entries(english)) {
    // `too_many` is no plural: it has no brothers.
    if (!plural.test(key) || !(key.replace(plural, '_other') in english)) wanted.set(key, text);
    else for (const form of forms) wanted.set(key.replace(plural, `_${form}`), english[key.replace(plural, '_other')] ?? text);
  }
  for (const [key, text] of wanted) {
    if (!(key in texts)) problems.push(`${language}: ${key} is missing`);
    else if (texts[key].trim() === '') problems.push(`${language}: ${key} is empty`);
    else {
      const [theirs, ours] = [new Set(holes(texts[key])), new Set(holes(text))];
      ours.delete('{{count}}');
      for (const hole of ours) if (!theirs.has(hole)) problems.push(`${language}: ${key} lacks ${hole}`);
    }
  }
  for (const key of Object.keys(texts)) if (!wanted.has(key)) problems.push(`${language}: ${key} is not in English`);
}
for (const problem of problems) console.error(problem);
console.log(`${languages.length} languages, ${Object.keys(english).length} texts`);
process.exit(problems.length > 0 ? 1 : 0);
