import { Card } from 'antd';
import { useTranslation } from 'react-i18next';
import type { EnvironmentInfo } from '../../api/schema';
import { Copyable } from '../../components/copy';
import { Facts } from '../../components/facts';
import { Time } from '../../components/time';
import { Loads } from './load';
import { EnvironmentStatusTags } from './status';
import { AppsThere } from './apps-there';

/** The only place where apps run: what it is, and how much of it is used. */
export function EnvironmentCard({ environment: one }: { environment: EnvironmentInfo }) {
  const { t } = useTranslation('environments');
  const facts = [
    { key: 'version', label: t('version'), value: one.version },
    { key: 'address', label: t('address'), value: one.url ? <Copyable text={one.url} /> : t('in_process') },
    { key: 'heartbeat', label: t('heartbeat'), value: <Time ms={one.last_heartbeat} /> },
    { key: 'started', label: t('started'), value: <Time ms={one.started_at} /> },
    { key: 'apps', label: t('apps'), value: <AppsThere environment={one} /> },
  ];
  return (
    <Card className="environment">
      <div className="environment-head">
        <h2>{one.name}</h2>
        <EnvironmentStatusTags environment={one} />
      </div>
      <div className="environment-parts">
        <Facts facts={facts} />
        <Loads environment={one} />
      </div>
    </Card>
  );
}
