import type { AppAnswer } from '../../../api/schema';

export const AccessPart = (_: { app: AppAnswer }) => null;
