// The one cache of what the host says. Its keys stand here, so that live events know what they touch.
import { QueryClient } from '@tanstack/react-query';
import { ProblemError } from './problem';

export const keys = {
  me: ['me'],
  apps: ['apps'],
  app: (id: string) => ['app', id],
  appPart: (id: string, part: string, ...more: unknown[]) => ['app', id, part, ...more],
  usage: ['usage'],
  components: ['components'],
  environments: ['environments'],
  activity: (...filter: unknown[]) => ['activity', ...filter],
  tokens: ['tokens'],
  settings: ['settings'],
  about: ['about'],
} as const;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      refetchOnWindowFocus: true,
      // What was refused stays refused; what was not reached is tried again.
      retry: (count, error) => error instanceof ProblemError && (error.status === 0 || error.status >= 502) && count < 3,
    },
    mutations: { retry: false },
  },
});
