import type { AppAnswer } from '../../../api/schema';

export const ComponentPart = (_: { app: AppAnswer }) => null;
