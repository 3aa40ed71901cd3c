import type { AppAnswer } from '../../../api/schema';

export const SettingsPart = (_: { app: AppAnswer }) => null;
