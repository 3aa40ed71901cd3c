import { useQuery } from '@tanstack/react-query';
import { api, call, upload } from './client';
import { usePolling } from './live';
import { ProblemError } from './problem';
import { keys, queryClient } from './queries';
import type { Component } from './schema';
import { session } from './session';

/** The library, newest first. */
export function useComponents() {
  return useQuery({ queryKey: keys.components, queryFn: fetchComponents, refetchInterval: usePolling() });
}

async function fetchComponents(): Promise<Component[]> {
  const all: Component[] = [];
  let cursor: string | undefined;
  do {
    const page = await call(() => api.GET('/api/components', { params: { query: { limit: 1000, cursor } } }));
    all.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
  return all;
}

/** The largest upload, in bytes. */
export const MAX_COMPONENT_BYTES = 100 * 1024 * 1024;

/**
 * Uploads a `.wasm`; the answer comes once it is checked, its compile goes on after (watch `status`).
 * `name` is for components whose metadata has none. A session that has ended is renewed first.
 */
export async function uploadComponent(
  file: File,
  onProgress: (share: number) => void,
  signal?: AbortSignal,
  name?: string,
): Promise<Component> {
  const path = name ? `/api/components?name=${encodeURIComponent(name)}` : '/api/components';
  for (;;) {
    try {
      const component = await upload<Component>(path, file, onProgress, signal);
      void queryClient.invalidateQueries({ queryKey: keys.components });
      return component;
    } catch (error) {
      const ended = error instanceof ProblemError && error.status === 401 && session.get() !== 'out';
      if (!ended || signal?.aborted) throw error;
      await session.renewed().catch(() => {
        throw error;
      });
    }
  }
}

export async function removeComponent(digest: string): Promise<void> {
  await call(() => api.DELETE('/api/components/{digest}', { params: { path: { digest } } }));
  queryClient.setQueryData<Component[]>(keys.components, (all) => all?.filter((one) => one.digest !== digest));
}
