import {
  ClockCircleOutlined,
  DatabaseOutlined,
  ExportOutlined,
  FileTextOutlined,
  GlobalOutlined,
  NumberOutlined,
  OrderedListOutlined,
  SafetyCertificateOutlined,
  SettingOutlined,
  TableOutlined,
} from '@ant-design/icons';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { type Capability, capabilitiesOf } from './capability-keys';
import './capabilities.css';

export { type Capability, capabilitiesOf } from './capability-keys';

const ICONS: Record<Capability, ReactNode> = {
  http_server: <GlobalOutlined />,
  database: <DatabaseOutlined />,
  migrations: <OrderedListOutlined />,
  outbound: <ExportOutlined />,
  jwt: <SafetyCertificateOutlined />,
  keyvalue: <TableOutlined />,
  config: <SettingOutlined />,
  logging: <FileTextOutlined />,
  clocks: <ClockCircleOutlined />,
  random: <NumberOutlined />,
};

/** What a component can do, in words. `interfaces`: all that it imports and exports. */
export function CapabilityList({ interfaces }: { interfaces: readonly string[] }) {
  const { t } = useTranslation();
  const all = capabilitiesOf(interfaces);
  if (all.length === 0) return <span className="soft">{t('state.none')}</span>;
  return (
    <ul className="capabilities">
      {all.map((capability) => (
        <li key={capability}>
          <span className="capability-icon" aria-hidden>
            {ICONS[capability]}
          </span>
          {t(`capability.${capability}`)}
        </li>
      ))}
    </ul>
  );
}
