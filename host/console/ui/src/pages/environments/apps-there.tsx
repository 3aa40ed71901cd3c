import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { EnvironmentInfo } from '../../api/schema';

/** How many apps it has and how many of them run, with the way to them. */
export function AppsThere({ environment: { name, apps, running } }: { environment: EnvironmentInfo }) {
  const { t } = useTranslation('environments');
  return <Link to={`/apps?environment=${encodeURIComponent(name)}`}>{t('apps_running', { count: apps, running })}</Link>;
}
