// One component, in a drawer over the library.
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Alert, App, Button, Collapse, Skeleton, Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { removeComponent } from '../../api/components';
import { toProblem } from '../../api/problem';
import type { AppAnswer, Component } from '../../api/schema';
import { CapabilityList } from '../../components/capabilities';
import { Copyable } from '../../components/copy';
import { Teach } from '../../components/empty';
import { Facts } from '../../components/facts';
import { SideDrawer } from '../../components/side-drawer';
import { Time } from '../../components/time';
import { useFormats } from '../../format';
import { linkOf } from './library';
import { ComponentStatusTag, worldName } from './status';
import { Users } from './users';

interface Props {
  /** Of the component to show; none: the drawer is closed. */
  digest: string | undefined;
  /** Undefined while it is being read. */
  library: readonly Component[] | undefined;
  users: Map<string, AppAnswer[]> | undefined;
  onClose: () => void;
}

export function ComponentDetail({ digest, library, users, onClose }: Props) {
  const { t } = useTranslation('components');
  const component = library?.find((one) => one.digest === digest);
  const apps = users && (users.get(digest ?? '') ?? []);
  const title = component ? `${component.name} ${component.version}` : t('detail');
  return (
    <SideDrawer
      open={!!digest}
      onClose={onClose}
      title={title}
      destroyOnHidden
      footer={component && <Actions component={component} apps={apps} onRemoved={onClose} />}
    >
      {!library && <Skeleton active />}
      {library && !component && <Teach title={t('gone')}>{t('gone_why')}</Teach>}
      {component && <Body component={component} apps={apps} />}
    </SideDrawer>
  );
}

interface OneProps {
  component: Component;
  apps: AppAnswer[] | undefined;
}

function Body({ component, apps }: OneProps) {
  const { t } = useTranslation('components');
  const { bytes, duration } = useFormats();
  const { imports, exports, metadata } = component;
  return (
    <div className="component-detail">
      {component.status === 'failed' && <Alert type="error" showIcon title={t('failed')} description={component.error} />}
      {metadata.description && <p className="detail-description" dir="auto">{metadata.description}</p>}
      <Facts
        facts={[
          { key: 'status', label: t('column.status'), value: <ComponentStatusTag status={component.status} /> },
          { key: 'world', label: t('column.world'), value: worldName(component.world) },
          { key: 'size', label: t('column.size'), value: bytes(component.size) },
          { key: 'compile_time', label: t('column.compile_time'), value: component.compile_ms == null ? '–' : duration(component.compile_ms) },
          { key: 'uploaded', label: t('column.uploaded'), value: <Time ms={component.created_at} /> },
          { key: 'digest', label: t('digest'), value: <Copyable text={component.digest} shown={`${component.digest.slice(0, 16)}…`} /> },
          ...(['authors', 'licenses', 'source', 'homepage', 'revision'] as const)
            .filter((key) => metadata[key])
            .map((key) => ({ key, label: t(`metadata.${key}`), value: <Written text={metadata[key] ?? ''} /> })),
        ]}
      />
      <section>
        <h2>{t('column.used_by')}</h2>
        <Users apps={apps} most={100} />
      </section>
      <section>
        <h2>{t('capabilities')}</h2>
        <CapabilityList interfaces={[...imports, ...exports]} />
        <Collapse
          ghost
          size="small"
          className="interfaces"
          items={[{ key: 'raw', label: t('interfaces', { count: imports.length + exports.length }), children: <Interfaces component={component} /> }]}
        />
      </section>
    </div>
  );
}

/** A line of its metadata. What looks like a web address is linked; whoever built it wrote it, so nothing else is. */
function Written({ text }: { text: string }) {
  const link = linkOf(text);
  if (!link) return <bdi>{text}</bdi>;
  return (
    <a href={link} target="_blank" rel="noreferrer noopener">
      <bdi>{text}</bdi>
    </a>
  );
}

function Interfaces({ component: { imports, exports } }: { component: Component }) {
  const { t } = useTranslation('components');
  return (['imports', 'exports'] as const).map((kind) => (
    <div key={kind}>
      <h3>{t(kind)}</h3>
      <ul className="interface-names">
        {(kind === 'imports' ? imports : exports).map((name) => (
          <li key={name}>
            <code>{name}</code>
          </li>
        ))}
      </ul>
    </div>
  ));
}

function Actions({ component, apps, onRemoved }: OneProps & { onRemoved: () => void }) {
  const { t } = useTranslation('components');
  const { modal, message } = App.useApp();
  const label = `${component.name} ${component.version}`;
  const used = !apps || apps.length > 0;
  const remove = async () => {
    try {
      await removeComponent(component.digest);
      void message.success(t('removed', { component: label }));
      onRemoved();
    } catch (error) {
      modal.error({ title: t('common:problem.title'), content: toProblem(error).message });
    }
  };
  const ask = () =>
    modal.confirm({
      title: t('remove_title', { component: label }),
      content: t('remove_why'),
      okText: t('common:action.delete'),
      okButtonProps: { danger: true },
      onOk: remove,
    });
  return (
    <div className="detail-actions">
      <Tooltip title={used && apps ? t('remove_used', { count: apps.length }) : undefined}>
        <Button danger icon={<DeleteOutlined />} disabled={used} onClick={ask} aria-describedby={used ? 'remove-why' : undefined}>
          {t('common:action.delete')}
        </Button>
      </Tooltip>
      {used && apps && (
        <span id="remove-why" className="soft detail-used">
          {t('remove_used', { count: apps.length })}
        </span>
      )}
      <span className="grow" />
      {component.status !== 'failed' && (
        <Link to={`/apps/new?component=${component.digest}`}>
          <Button type="primary" icon={<PlusOutlined />} tabIndex={-1}>
            {t('add_app')}
          </Button>
        </Link>
      )}
    </div>
  );
}
