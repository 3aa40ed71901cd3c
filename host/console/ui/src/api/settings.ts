import { api, call } from './client';
import { keys, queryClient } from './queries';
import type { Settings, SettingsPatch } from './schema';

/** Changes the host's settings; what is absent stays as it is. Throws a ProblemError. */
export async function saveSettings(patch: SettingsPatch): Promise<Settings> {
  const settings = await call(() => api.PATCH('/api/settings', { body: patch }));
  queryClient.setQueryData(keys.settings, settings);
  return settings;
}
