import type { AppAnswer } from '../../../api/schema';

export const ConfigPart = (_: { app: AppAnswer }) => null;
