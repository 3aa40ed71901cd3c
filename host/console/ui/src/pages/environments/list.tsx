// The environments: a table where there is room, cards where there is not.
import { Grid } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { isThisProcess } from '../../api/environments';
import type { EnvironmentInfo } from '../../api/schema';
import { CopyButton } from '../../components/copy-button';
import { Time } from '../../components/time';
import { EnvironmentActions } from './actions';
import { AppsThere } from './apps-there';
import { Load } from './load';
import { EnvironmentStatusTags } from './status';

const COLUMNS = ['name', 'status', 'address', 'heartbeat', 'apps', 'cpu', 'memory'] as const;

export function EnvironmentList({ environments }: { environments: readonly EnvironmentInfo[] }) {
  const { t } = useTranslation('environments');
  const screens = Grid.useBreakpoint();
  if (!screens.xl) {
    return (
      <ul className="listing-cards">
        {environments.map((one) => (
          <Card key={one.name} environment={one} />
        ))}
      </ul>
    );
  }
  return (
    <table className="listing environment-list">
      <thead>
        <tr>
          {COLUMNS.map((column) => (
            <th key={column} scope="col">
              {t(column === 'status' ? 'status_label' : column)}
            </th>
          ))}
          <th scope="col">
            <span className="unseen">{t('actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {environments.map((one) => (
          <Row key={one.name} environment={one} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ environment: one }: { environment: EnvironmentInfo }) {
  const { t } = useTranslation('environments');
  return (
    <tr>
      <th scope="row">
        <Name environment={one} />
        <div className="soft environment-version">{t('version_of', { version: one.version })}</div>
      </th>
      <td className="environment-now">
        <Status environment={one} />
      </td>
      <td>
        <Address environment={one} />
      </td>
      <td>
        <Time ms={one.last_heartbeat} />
      </td>
      <td className="environment-apps">
        <AppsThere environment={one} />
      </td>
      <td className="environment-meter">
        <Now environment={one} of="cpu" />
      </td>
      <td className="environment-meter">
        <Now environment={one} of="process_memory" />
      </td>
      <td className="actions">
        <EnvironmentActions environment={one} />
      </td>
    </tr>
  );
}

function Card({ environment: one }: { environment: EnvironmentInfo }) {
  const { t } = useTranslation('environments');
  return (
    <li className="listing-card">
      <div className="listing-head">
        <Name environment={one} />
        <EnvironmentActions environment={one} />
      </div>
      <Status environment={one} />
      <div>
        <span className="soft">{t('version')}:</span> {one.version}
      </div>
      <div>
        <span className="soft">{t('address')}:</span> <Address environment={one} />
      </div>
      <div>
        <span className="soft">{t('heartbeat')}:</span> <Time ms={one.last_heartbeat} />
      </div>
      <div>
        <AppsThere environment={one} />
      </div>
      {one.status === 'online' && (
        <div className="environment-meters">
          <Load environment={one} of="cpu" />
          <Load environment={one} of="process_memory" />
        </div>
      )}
    </li>
  );
}

interface Of {
  environment: EnvironmentInfo;
}

function Name({ environment: { name } }: Of) {
  return (
    <Link to={`/environments/${encodeURIComponent(name)}`} className="environment-name">
      <bdi>{name}</bdi>
    </Link>
  );
}

/** The status, and what the host says of it. */
function Status({ environment: one }: Of) {
  return (
    <>
      <EnvironmentStatusTags environment={one} />
      {one.message && <p className="environment-message soft">{one.message}</p>}
    </>
  );
}

function Address({ environment: one }: Of) {
  const { t } = useTranslation('environments');
  if (isThisProcess(one)) return t('in_process');
  if (!one.url) return <span className="soft">{t('no_address')}</span>;
  return (
    <span className="environment-address">
      <a href={one.url} target="_blank" rel="noreferrer" dir="ltr">
        {withoutScheme(one.url)}
      </a>
      <CopyButton text={one.url} />
    </span>
  );
}

/** What it uses now; of one that does not report nothing is known. */
function Now({ environment: one, of }: Of & { of: 'cpu' | 'process_memory' }) {
  const { t } = useTranslation('apps');
  if (one.status === 'online') return <Load environment={one} of={of} quiet />;
  return (
    <span className="soft">
      <span aria-hidden>–</span>
      <span className="unseen">{t('not_known')}</span>
    </span>
  );
}

/** So that a usual address fits into its column unbroken; the link and the copy have all of it. */
function withoutScheme(url: string): string {
  return url.replace(/^https?:\/\//, '');
}
