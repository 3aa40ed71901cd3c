import type { AppAnswer } from '../../../api/schema';

export function ConfigPart(_: { app: AppAnswer }) {
  return null;
}
