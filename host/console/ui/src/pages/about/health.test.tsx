import { cleanup, render, screen } from '@testing-library/react';
import i18next from 'i18next';
import { readdirSync, readFileSync } from 'node:fs';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, expect, it } from 'vitest';
import type { HealthCheck } from '../../api/schema';
import about from '../../locales/en/about.json';
import { Health } from './health';

beforeAll(() => i18next.use(initReactI18next).init({ lng: 'en', resources: { en: { about } }, interpolation: { escapeValue: false } }));
afterEach(cleanup);

const checks: HealthCheck[] = [
  { name: 'redis', status: 'failed', message: 'Redis cannot be reached: connection refused' },
  { name: 'environments', status: 'warning', message: 'lost: `west`; start them again, or move their apps and remove them' },
  { name: 'component_store', status: 'warning', message: 's3://bucket/prefix cannot be used: no answer within 2s' },
  { name: 'brand_new', status: 'ok', message: null },
];

it('shows each check by a name for people, its status as icon and word, and what the host says', () => {
  render(<Health checks={checks} />);
  const shown = screen.getAllByRole('listitem').map((item) => ({
    name: item.querySelector('strong')?.textContent,
    status: item.querySelector('.health-line span')?.textContent,
    icon: item.querySelector('.health-icon svg')?.getAttribute('data-icon'),
    message: item.querySelector('p')?.textContent ?? null,
  }));
  expect(shown).toEqual([
    { name: 'Redis', status: 'Failed', icon: 'close-circle', message: checks[0]?.message },
    { name: 'Environments', status: 'Warning', icon: 'warning', message: checks[1]?.message },
    { name: 'Component store', status: 'Warning', icon: 'warning', message: checks[2]?.message },
    { name: 'brand_new', status: 'In order', icon: 'check-circle', message: null },
  ]);
  // The host's sentences are English, also among Arabic ones.
  expect(screen.getByText(/^Redis cannot/).dir).toBe('auto');
});

it('has a name for every check of the host', () => {
  const source = readFileSync(`${import.meta.dirname}/../../../../../supervisor/src/health.rs`, 'utf8');
  const names = [...source.matchAll(/\bcheck\("([a-z_]+)"/g)].map(([, name = '']) => name);
  expect(names).toContain('redis');
  for (const language of readdirSync(`${import.meta.dirname}/../../locales`)) {
    const texts = JSON.parse(readFileSync(`${import.meta.dirname}/../../locales/${language}/about.json`, 'utf8')) as typeof about;
    for (const name of names) expect(texts.check, language).toHaveProperty(name);
  }
});
