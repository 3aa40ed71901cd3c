import { useQuery } from '@tanstack/react-query';
import { api, call, upload } from './client';
import { usePolling } from './live';
import { keys, queryClient } from './queries';
import type { Component } from './schema';

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

/** Uploads a `.wasm`; the answer comes once it is checked, its compile goes on after (watch `status`). */
export async function uploadComponent(file: File, onProgress: (share: number) => void, signal?: AbortSignal): Promise<Component> {
  const component = await upload<Component>('/api/components', file, onProgress, signal);
  void queryClient.invalidateQueries({ queryKey: keys.components });
  return component;
}

export async function removeComponent(digest: string): Promise<void> {
  await call(() => api.DELETE('/api/components/{digest}', { params: { path: { digest } } }));
  queryClient.setQueryData<Component[]>(keys.components, (all) => all?.filter((one) => one.digest !== digest));
}
