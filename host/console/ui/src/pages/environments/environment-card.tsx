import { CheckCircleFilled, CloseCircleFilled } from '@ant-design/icons';
import { Card, Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { EnvironmentInfo } from '../../api/schema';
import { Copyable } from '../../components/copy';
import { Facts } from '../../components/facts';
import { Meter } from '../../components/meter';
import { Time } from '../../components/time';
import { useFormats } from '../../format';

/** One place where apps run: what it is, and how much of it is used. */
export function EnvironmentCard({ environment: one }: { environment: EnvironmentInfo }) {
  const { t } = useTranslation('environments');
  const online = one.status === 'online';
  const facts = [
    { key: 'version', label: t('version'), value: one.version },
    { key: 'address', label: t('address'), value: one.url ? <Copyable text={one.url} /> : t('in_process') },
    { key: 'heartbeat', label: t('heartbeat'), value: <Time ms={one.last_heartbeat} /> },
    // Figures that a host of an older version does not tell are left out.
    ...(one.started_at ? [{ key: 'started', label: t('started'), value: <Time ms={one.started_at} /> }] : []),
    { key: 'apps', label: t('apps'), value: <Link to={`/apps?environment=${encodeURIComponent(one.name)}`}>{t('apps_running', { count: one.apps, running: one.running })}</Link> },
  ];
  return (
    <Card className="environment">
      <div className="environment-head">
        <h2>{one.name}</h2>
        <Tag color={online ? 'success' : 'error'} icon={online ? <CheckCircleFilled /> : <CloseCircleFilled />} className="status">
          {t(online ? 'online' : 'offline')}
        </Tag>
      </div>
      <div className="environment-parts">
        <Facts facts={facts} />
        <Load environment={one} />
      </div>
    </Card>
  );
}

function Load({ environment: one }: { environment: Partial<EnvironmentInfo> }) {
  const { t } = useTranslation('environments');
  const { bytes, cores, number } = useFormats();
  const { cpu_load, cpu_cores, process_memory_bytes, app_memory_bytes, memory_total_bytes, instances, instance_slots } = one;
  const parts = [
    { key: 'cpu', used: cpu_load, all: cpu_cores, shown: cores },
    { key: 'process_memory', used: process_memory_bytes, all: memory_total_bytes, shown: bytes },
    { key: 'app_memory', used: app_memory_bytes, all: memory_total_bytes, shown: bytes },
    { key: 'instances', used: instances, all: instance_slots, shown: number },
  ] as const;
  return (
    <div className="environment-load">
      {parts.map(
        ({ key, used, all, shown }) =>
          used !== undefined &&
          all !== undefined && <Meter key={key} label={t(`load.${key}`)} text={t(`load.${key}_of`, { used: shown(used), all: shown(all) })} share={all > 0 ? used / all : 0} />,
      )}
    </div>
  );
}
