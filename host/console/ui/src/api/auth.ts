import { useQuery } from '@tanstack/react-query';
import { api, call } from './client';
import { keys, queryClient } from './queries';
import { session } from './session';

export function useMe(enabled: boolean) {
  return useQuery({ queryKey: keys.me, queryFn: () => call(() => api.GET('/api/auth/me')), enabled, staleTime: 60_000 });
}

/** Whether this browser is signed in already. */
export async function findSession(): Promise<void> {
  const { data, response } = await api.GET('/api/auth/me').catch(() => ({ data: undefined, response: undefined }));
  if (data) queryClient.setQueryData(keys.me, data);
  // A host that does not answer is asked again by the page itself.
  session.set(response?.status === 401 || !data ? 'out' : 'in');
}

/** Signs in. Throws a ProblemError: wrong password, or too many tries (`retryAfter`). */
export async function signIn(email: string, password: string): Promise<void> {
  await call(() => api.POST('/api/auth/login', { body: { email, password } }), false);
  await queryClient.invalidateQueries();
  session.set('in');
}

export async function signOut(): Promise<void> {
  await api.POST('/api/auth/logout').catch(() => undefined);
  session.set('out');
  queryClient.clear();
}

export async function changePassword(current: string, next: string): Promise<void> {
  await call(() => api.POST('/api/auth/password', { body: { current_password: current, new_password: next } }));
  await queryClient.invalidateQueries({ queryKey: keys.me });
}
