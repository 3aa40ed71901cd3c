// The map of the console: every page, its address, and the file it is in. Each page is a chunk of its own.
import { createBrowserRouter, Navigate } from 'react-router';
import { Crashed, NotFound } from './app/failures';
import { Shell } from './app/shell';
import { allTexts } from './i18n';

/** A page's file, with the texts of all pages but the first. */
async function page<T>(file: Promise<T>): Promise<T> {
  const [loaded] = await Promise.all([file, allTexts()]);
  return loaded;
}

export const router = createBrowserRouter([
  {
    path: '/',
    element: <Shell />,
    errorElement: <Crashed />,
    children: [
      {
        errorElement: <Crashed />,
        children: [
          { index: true, element: <Navigate to="/apps" replace /> },
          { path: 'apps', lazy: async () => ({ Component: (await import('./pages/apps/apps')).AppsPage }) },
          { path: 'apps/new', lazy: async () => ({ Component: (await page(import('./pages/new-app/new-app'))).NewAppPage }) },
          { path: 'apps/:id/:tab?', lazy: async () => ({ Component: (await page(import('./pages/app/app'))).AppPage }) },
          { path: 'components/:digest?', lazy: async () => ({ Component: (await page(import('./pages/components/components'))).ComponentsPage }) },
          { path: 'environments/:name?', lazy: async () => ({ Component: (await page(import('./pages/environments/environments'))).EnvironmentsPage }) },
          { path: 'activity', lazy: async () => ({ Component: (await page(import('./pages/activity/activity'))).ActivityPage }) },
          { path: 'tokens', lazy: async () => ({ Component: (await page(import('./pages/tokens/tokens'))).TokensPage }) },
          { path: 'settings', lazy: async () => ({ Component: (await page(import('./pages/settings/settings'))).SettingsPage }) },
          { path: 'about', lazy: async () => ({ Component: (await page(import('./pages/about/about'))).AboutPage }) },
          { path: '*', element: <NotFound /> },
        ],
      },
    ],
  },
]);
