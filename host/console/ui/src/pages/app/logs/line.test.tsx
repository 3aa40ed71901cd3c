import { cleanup, render, screen } from '@testing-library/react';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, expect, it } from 'vitest';
import type { LogLine } from '../../../api/schema';
import app from '../../../locales/en/app.json';
import common from '../../../locales/en/common.json';
import { Line } from './line';

beforeAll(async () => {
  await i18next.use(initReactI18next).init({ lng: 'en', defaultNS: 'common', resources: { en: { common, app } }, interpolation: { escapeValue: false } });
});
afterEach(cleanup);

const nothing = () => undefined;
const shown = (line: LogLine, search = '') => {
  render(<ol>{<Line id={1} line={line} search={search} current={false} onCurrent={nothing} onRequest={nothing} />}</ol>);
  return screen.getByRole('listitem').querySelector('.log-text')?.textContent;
};
const closed: LogLine = { time: 1, level: 'info', source: 'app', message: 'closed', fields: { ticket: 7, by: 'Ada L' } };

it('shows fields after the text, and marks what was searched for in them', () => {
  expect(shown(closed, 'ticket=7')).toBe('closed by="Ada L" ticket=7');
  expect(screen.getByText('ticket=7').tagName).toBe('MARK');
});

it('shows a line without one of the two as it is', () => {
  expect(shown({ ...closed, message: '' })).toBe('by="Ada L" ticket=7');
  cleanup();
  expect(shown({ ...closed, fields: undefined })).toBe('closed');
  expect(document.querySelector('.log-fields')).toBeNull();
});
