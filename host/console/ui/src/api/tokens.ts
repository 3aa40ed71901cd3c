import { useQuery } from '@tanstack/react-query';
import { api, call } from './client';
import { keys, queryClient } from './queries';
import type { MadeToken, NewToken, TokenInfo } from './schema';

/** One's API tokens, newest first. */
export function useTokens() {
  return useQuery({ queryKey: keys.tokens, queryFn: () => call(() => api.GET('/api/tokens')).then((list) => list.items) });
}

/** Makes a token. The answer is the only place that has its secret. */
export async function makeToken(token: NewToken): Promise<MadeToken> {
  const made = await call(() => api.POST('/api/tokens', { body: token }));
  void queryClient.invalidateQueries({ queryKey: keys.tokens });
  return made;
}

export async function removeToken(id: string): Promise<void> {
  await call(() => api.DELETE('/api/tokens/{id}', { params: { path: { id } } }));
  queryClient.setQueryData<TokenInfo[]>(keys.tokens, (all) => all?.filter((one) => one.id !== id));
}
