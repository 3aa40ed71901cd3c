import { QueryClientProvider } from '@tanstack/react-query';
import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { keys, queryClient } from '../../api/queries';
import type { EnvironmentInfo } from '../../api/schema';
import common from '../../locales/en/common.json';
import form from '../../locales/en/form.json';
import { FormContext, type FormValue } from '../context';
import { emptyDraft } from '../logic/draft';
import { STANDARD } from '../logic/limits';
import { EnvironmentFields } from './environments';

beforeAll(async () => {
  await i18next.use(initReactI18next).init({ lng: 'en', defaultNS: 'common', resources: { en: { common, form } }, interpolation: { escapeValue: false } });
  queryClient.setDefaultOptions({ queries: { staleTime: Infinity, retry: false } });
});
afterEach(cleanup);

const worker = (name: string, part: Partial<EnvironmentInfo> = {}) =>
  ({ name, url: `http://${name}`, status: 'online', schedulable: true, draining: false, apps: 1, cpu_cores: 1, cpu_load: 0, memory_total_bytes: 1, process_memory_bytes: 0, ...part }) as EnvironmentInfo;

function show(all: EnvironmentInfo[], imports: string[] = []) {
  queryClient.setQueryData(keys.environments, all);
  queryClient.setQueryData(keys.about, { apps_database: 'postgres' });
  queryClient.setQueryData(keys.components, [{ digest: 'aa', imports }]);
  const change = vi.fn();
  const draft = { ...emptyDraft(STANDARD), placement: 'named' as const, component: 'aa' };
  const value: FormValue = { draft, change, errorOf: () => undefined, errors: {}, touch: () => undefined, app: null, standard: STANDARD };
  render(
    <QueryClientProvider client={queryClient}>
      <FormContext value={value}>
        <EnvironmentFields />
      </FormContext>
    </QueryClientProvider>,
  );
  return change;
}

it('lets one choose an environment that is away, with a warning, and none that is cordoned', async () => {
  const change = show([worker('east'), worker('west', { status: 'lost' }), worker('south', { schedulable: false })]);
  const box = (name: RegExp) => screen.getByRole<HTMLInputElement>('checkbox', { name });
  expect(box(/south.*cordoned/).disabled).toBe(true);
  const west = box(/west.*does not answer.*starts there when it is back/);
  expect(west.closest('.choice')?.querySelector('.warn')).not.toBeNull();
  expect(box(/east/).closest('.choice')?.querySelector('.warn')).toBeNull();
  await userEvent.click(west);
  expect(change).toHaveBeenCalledWith({ environments: ['west'] });
});

it('says why an app with a key-value space does not move', () => {
  show([worker('east')], ['wasi:keyvalue/store@0.2.0-draft2']);
  expect(screen.getByRole<HTMLButtonElement>('switch').disabled).toBe(true);
  screen.getByText(/key-value space is a file of one environment/);
});

it('lets an app move whose data are on a server', () => {
  show([worker('east')]);
  expect(screen.getByRole<HTMLButtonElement>('switch').disabled).toBe(false);
});
