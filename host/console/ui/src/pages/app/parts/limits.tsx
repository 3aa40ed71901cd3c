import type { AppAnswer } from '../../../api/schema';

export const LimitsPart = (_: { app: AppAnswer }) => null;
