import type { AppAnswer } from '../../../api/schema';

export function AccessPart(_: { app: AppAnswer }) {
  return null;
}
