// The map of the console: every page, its address, and the file it is in. Each page is a chunk of its own.
import { createBrowserRouter, Navigate } from 'react-router';
import { Crashed, NotFound } from './app/failures';
import { Shell } from './app/shell';

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
          { path: 'apps/new', lazy: async () => ({ Component: (await import('./pages/new-app/new-app')).NewAppPage }) },
          { path: 'apps/:id/:tab?', lazy: async () => ({ Component: (await import('./pages/app/app')).AppPage }) },
          { path: 'components/:digest?', lazy: async () => ({ Component: (await import('./pages/components/components')).ComponentsPage }) },
          { path: 'environments', lazy: async () => ({ Component: (await import('./pages/environments/environments')).EnvironmentsPage }) },
          { path: 'activity', lazy: async () => ({ Component: (await import('./pages/activity/activity')).ActivityPage }) },
          { path: 'tokens', lazy: async () => ({ Component: (await import('./pages/tokens/tokens')).TokensPage }) },
          { path: 'settings', lazy: async () => ({ Component: (await import('./pages/settings/settings')).SettingsPage }) },
          { path: 'about', lazy: async () => ({ Component: (await import('./pages/about/about')).AboutPage }) },
          { path: '*', element: <NotFound /> },
        ],
      },
    ],
  },
]);
