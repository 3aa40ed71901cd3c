import type { AppAnswer } from '../../../api/schema';

export function ComponentPart(_: { app: AppAnswer }) {
  return null;
}
