import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { AppAnswer } from '../../api/schema';

/** The apps that use a component, the first few of them by name. */
export function Users({ apps, most = 3 }: { apps: readonly AppAnswer[] | undefined; most?: number }) {
  const { t } = useTranslation('components');
  if (!apps) return null;
  if (apps.length === 0) return <span className="soft">{t('unused')}</span>;
  return (
    <ul className="component-users">
      {apps.slice(0, most).map((app) => (
        <li key={app.id}>
          <Link to={`/apps/${app.id}`}>{app.display_name || app.id}</Link>
        </li>
      ))}
      {apps.length > most && <li className="soft">{t('more_apps', { count: apps.length - most })}</li>}
    </ul>
  );
}
