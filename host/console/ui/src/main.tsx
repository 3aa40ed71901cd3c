// Starts the page: whether somebody is signed in and which language to speak are asked for at once.
import { QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router';
import { findSession } from './api/auth';
import { api } from './api/client';
import { queryClient } from './api/queries';
import { Theme } from './app/theme';
import './app/app.css';
import { chosen, preferred, startLanguages } from './i18n';
import { router } from './routes';

async function hostLanguage(): Promise<string | null> {
  if (chosen()) return null;
  const { data } = await api.GET('/api/console').catch(() => ({ data: undefined }));
  return data?.language ?? null;
}

async function start() {
  const root = document.getElementById('root');
  if (!root) throw new Error('index.html lacks #root');
  const [host] = await Promise.all([hostLanguage(), findSession()]);
  await startLanguages(preferred(host));
  createRoot(root).render(
    <QueryClientProvider client={queryClient}>
      <Theme>
        <RouterProvider router={router} />
      </Theme>
    </QueryClientProvider>,
  );
}

void start();
