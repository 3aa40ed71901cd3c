// The library's list: a table on wide screens, cards on narrow ones.
import { Button, Grid } from 'antd';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import type { AppAnswer, Component } from '../../api/schema';
import { Time } from '../../components/time';
import { useFormats } from '../../format';
import type { Group } from './library';
import { ComponentStatusTag, worldName } from './status';
import { Users } from './users';

/** So many versions of one name are shown at first. */
const FIRST = 5;

interface Props {
  groups: readonly Group[];
  /** Undefined while the apps are not known. */
  users: Map<string, AppAnswer[]> | undefined;
}

export function Versions({ groups, users }: Props) {
  const { t } = useTranslation('components');
  const screens = Grid.useBreakpoint();
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const shown = groups.map(({ name, versions }) => {
    const all = opened.has(name) || versions.length <= FIRST;
    const more = all ? null : (
      <Button type="link" size="small" onClick={() => setOpened(new Set([...opened, name]))}>
        {t('all_versions', { count: versions.length })}
      </Button>
    );
    return { name, count: versions.length, versions: all ? versions : versions.slice(0, FIRST), more };
  });
  if (!screens.lg) {
    return shown.map(({ name, count, versions, more }) => (
      <section key={name} className="library-group">
        <h2>
          {name} <Count count={count} />
        </h2>
        <ul className="listing-cards">
          {versions.map((one) => (
            <Card key={one.digest} component={one} apps={users && (users.get(one.digest) ?? [])} />
          ))}
        </ul>
        {more}
      </section>
    ));
  }
  return (
    <table className="listing">
      <thead>
        <tr>
          {(['name', 'version', 'status', 'world', 'size', 'compile_time', 'uploaded', 'used_by'] as const).map((column) => (
            <th key={column} scope="col" className={column === 'size' || column === 'compile_time' ? 'number' : undefined}>
              {t(`column.${column}`)}
            </th>
          ))}
        </tr>
      </thead>
      {shown.map(({ name, count, versions, more }) => (
        <tbody key={name}>
          {versions.map((one, index) => (
            <Row key={one.digest} component={one} apps={users && (users.get(one.digest) ?? [])}>
              {index === 0 && (
                <th scope="rowgroup" rowSpan={versions.length + (more ? 1 : 0)} className="library-name">
                  <strong>{name}</strong>
                  {count > 1 && <Count count={count} />}
                </th>
              )}
            </Row>
          ))}
          {more && (
            <tr>
              <td colSpan={7} className="library-more">
                {more}
              </td>
            </tr>
          )}
        </tbody>
      ))}
    </table>
  );
}

function Count({ count }: { count: number }) {
  const { t } = useTranslation('components');
  return <span className="soft">{t('versions', { count })}</span>;
}

interface OneProps {
  component: Component;
  apps: AppAnswer[] | undefined;
}

function Row({ component, apps, children }: OneProps & { children: ReactNode }) {
  const { bytes, duration } = useFormats();
  return (
    <tr className="library-row">
      {children}
      <th scope="row">
        <VersionLink component={component} />
      </th>
      <td>
        <ComponentStatusTag status={component.status} />
        {component.error && <div className="library-why">{component.error}</div>}
      </td>
      <td>{worldName(component.world)}</td>
      <td className="number">{bytes(component.size)}</td>
      <td className="number">{component.compile_ms == null ? '–' : duration(component.compile_ms)}</td>
      <td>
        <Time ms={component.created_at} />
      </td>
      <td className="library-used">
        <Users apps={apps} />
      </td>
    </tr>
  );
}

function Card({ component, apps }: OneProps) {
  const { bytes } = useFormats();
  return (
    <li className="listing-card library-card">
      <div className="listing-head">
        <VersionLink component={component} />
        <ComponentStatusTag status={component.status} />
      </div>
      {component.error && <div className="library-why">{component.error}</div>}
      <div className="soft">
        {worldName(component.world)} · {bytes(component.size)} · <Time ms={component.created_at} />
      </div>
      <div className="library-used">
        <Users apps={apps} />
      </div>
    </li>
  );
}

/** Opens the drawer; the filter stays in the address. The whole row takes the click. */
function VersionLink({ component }: { component: Component }) {
  const [query] = useSearchParams();
  return (
    <Link className="version-link" to={{ pathname: `/components/${component.digest}`, search: query.toString() }} aria-label={`${component.name} ${component.version}`}>
      {component.version}
    </Link>
  );
}
