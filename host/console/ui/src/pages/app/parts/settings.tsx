import type { AppAnswer } from '../../../api/schema';

export function SettingsPart(_: { app: AppAnswer }) {
  return null;
}
