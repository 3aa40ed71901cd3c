// One environment, in a drawer over the list.
import { Alert, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { isThisProcess } from '../../api/environments';
import type { EnvironmentInfo } from '../../api/schema';
import { Copyable } from '../../components/copy';
import { Teach } from '../../components/empty';
import { Facts } from '../../components/facts';
import { SideDrawer } from '../../components/side-drawer';
import { Time } from '../../components/time';
import { useFormats } from '../../format';
import { EnvironmentButtons } from './actions';
import { AppsThere } from './apps-there';
import { Loads } from './load';
import { EnvironmentStatusTags } from './status';

interface Props {
  /** Of the environment to show; none: the drawer is closed. */
  name: string | undefined;
  /** Undefined while they are being read. */
  all: readonly EnvironmentInfo[] | undefined;
  onClose: () => void;
}

export function EnvironmentDetail({ name, all, onClose }: Props) {
  const { t } = useTranslation('environments');
  const one = all?.find((each) => each.name === name);
  const worker = one && !isThisProcess(one);
  return (
    <SideDrawer
      open={!!name}
      onClose={onClose}
      title={<bdi>{name}</bdi>}
      destroyOnHidden
      footer={worker && <EnvironmentButtons environment={one} onRemoved={onClose} />}
    >
      {!all && <Skeleton active />}
      {all && !one && <Teach title={t('gone')}>{t('gone_why')}</Teach>}
      {one && <Body environment={one} />}
    </SideDrawer>
  );
}

function Body({ environment: one }: { environment: EnvironmentInfo }) {
  const { t } = useTranslation('environments');
  const { number } = useFormats();
  return (
    <div className="environment-detail">
      <EnvironmentStatusTags environment={one} />
      {one.message && <Alert type={one.status === 'lost' ? 'error' : 'info'} showIcon title={one.message} />}
      <Facts facts={useFacts(one)} />
      <section>
        <h2>{t('capacity')}</h2>
        <Capacity environment={one} />
      </section>
      <section>
        <h2>{t(one.status === 'online' ? 'load_now' : 'load_last')}</h2>
        <Loads environment={one} />
      </section>
      <section>
        <h2>{t('dead_letters')}</h2>
        <p>{one.dead_letters > 0 ? t('dead_letters_count', { number: number(one.dead_letters) }) : t('dead_letters_none')}</p>
        <p className="soft">{t('dead_letters_why')}</p>
      </section>
    </div>
  );
}

function useFacts(one: EnvironmentInfo) {
  const { t } = useTranslation('environments');
  const { duration } = useFormats();
  const url = (address: string | null | undefined) => (address ? <Copyable text={address} /> : t(isThisProcess(one) ? 'in_process' : 'no_address'));
  return [
    { key: 'version', label: t('version'), value: one.version },
    { key: 'address', label: t('address'), value: url(one.url) },
    { key: 'proxy', label: t('proxy_address'), value: url(one.proxy_url) },
    { key: 'heartbeat', label: t('heartbeat'), value: <Time ms={one.last_heartbeat} /> },
    ...(one.heartbeat_ms > 0 ? [{ key: 'interval', label: t('interval'), value: duration(one.heartbeat_ms) }] : []),
    { key: 'started', label: t('started'), value: <Time ms={one.started_at} /> },
    { key: 'apps', label: t('apps'), value: <AppsThere environment={one} /> },
  ];
}

function Capacity({ environment: one }: { environment: EnvironmentInfo }) {
  const { t } = useTranslation('environments');
  const { bytes, cores, number } = useFormats();
  const facts = [
    { key: 'cpu', label: t('capacity_of.cpu'), value: cores(one.cpu_cores) },
    { key: 'memory', label: t('capacity_of.memory'), value: bytes(one.memory_total_bytes) },
    { key: 'slots', label: t('capacity_of.slots'), value: number(one.instance_slots, 0) },
  ];
  return <Facts facts={facts} />;
}
