import { useTranslation } from 'react-i18next';
import type { About, DatabaseEngine } from '../../api/schema';
import { Copyable } from '../../components/copy';
import type { Fact } from '../../components/facts';
import { Time } from '../../components/time';
import { useFormats } from '../../format';

/** Products' names, which no language translates. */
const ENGINES: Record<DatabaseEngine, string> = { sqlite: 'SQLite', postgres: 'PostgreSQL', mysql: 'MySQL', mariadb: 'MariaDB' };

export const engineName = (engine: string) => ENGINES[engine as DatabaseEngine] ?? engine;

/** What an administrator wants to know of a host, in the order shown. */
export function useFacts(about: About): Fact[] {
  const { t } = useTranslation('about');
  const { bytes, number } = useFormats();
  const address = (listen: string | null | undefined) => (listen ? <Copyable text={listen} /> : t('common:state.none'));
  return [
    { key: 'version', label: t('version'), value: about.version },
    { key: 'wasmtime', label: t('wasmtime'), value: about.wasmtime },
    { key: 'started', label: t('started'), value: <Time ms={about.started_at} /> },
    { key: 'system', label: t('system'), value: `${about.os} ${about.arch}` },
    { key: 'machine', label: t('machine'), value: t('machine_is', { count: about.cores, cores: number(about.cores), memory: bytes(about.memory_total_bytes) }) },
    { key: 'control_database', label: t('control_database'), value: engineName(about.control_database) },
    { key: 'apps_database', label: t('apps_database'), value: engineName(about.apps_database) },
    { key: 'listen', label: t('listen'), value: address(about.listen) },
    { key: 'admin_listen', label: t('admin_listen'), value: address(about.admin_listen) },
    { key: 'apps_domain', label: t('apps_domain'), value: about.apps_domain ? <Copyable text={about.apps_domain} /> : t('common:state.none') },
  ];
}
