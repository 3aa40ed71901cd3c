import type { AppAnswer } from '../../../api/schema';

export function LimitsPart(_: { app: AppAnswer }) {
  return null;
}
