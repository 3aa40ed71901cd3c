import { CaretRightOutlined, DeleteOutlined, EditOutlined, ExportOutlined, FileTextOutlined, MoreOutlined, PauseOutlined, ReloadOutlined } from '@ant-design/icons';
import { Button, Dropdown, type MenuProps, Tooltip } from 'antd';
import { memo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { AppAnswer } from '../../api/schema';
import { useAppActions } from '../../components/app-actions';
import { inEnvironment } from '../../components/visit-url';

interface Props {
  app: AppAnswer;
  onDelete: (app: AppAnswer) => void;
  /** With words beside the icons. */
  wide?: boolean;
}

/** What can be done to one app. */
export const RowActions = memo(function RowActions({ app, onDelete, wide = false }: Props) {
  const { t } = useTranslation();
  const { busy, start, stop, restart } = useAppActions(app);
  const more = useRef<HTMLButtonElement>(null);
  const runs = app.desired === 'running';
  const name = app.display_name;
  const words = runs ? t('action.stop') : t('action.start');
  const [url] = app.urls;
  const places = url && runs && app.environments.length > 1 ? app.environments : [];
  const visits = places.map((environment) => ({
    key: `visit-${environment}`,
    icon: <ExportOutlined />,
    label: (
      <a href={inEnvironment(url ?? '', environment)} target="_blank" rel="noopener">
        {t('apps:visit_in', { environment })}
      </a>
    ),
  }));
  const items: MenuProps['items'] = [
    ...visits,
    { key: 'restart', icon: <ReloadOutlined />, label: t('action.restart'), disabled: !runs || busy !== null },
    { key: 'edit', icon: <EditOutlined />, label: <Link to={`/apps/${app.id}/settings`}>{t('action.edit')}</Link> },
    { key: 'logs', icon: <FileTextOutlined />, label: <Link to={`/apps/${app.id}/logs`}>{t('action.logs')}</Link> },
    { type: 'divider' },
    { key: 'delete', icon: <DeleteOutlined />, label: t('action.delete'), danger: true, disabled: busy === 'delete' },
  ];
  const choose = (key: string) => {
    if (key === 'restart') void restart();
    if (key === 'delete') {
      // The menu is gone when the dialog closes: the focus shall come back to what opened it.
      more.current?.focus();
      onDelete(app);
    }
  };
  return (
    <div className={wide ? 'row-actions wide' : 'row-actions'}>
      <Button
        icon={runs ? <PauseOutlined /> : <CaretRightOutlined />}
        loading={busy !== null}
        title={wide ? undefined : words}
        aria-label={t(runs ? 'apps:stop_app' : 'apps:start_app', { name })}
        onClick={() => void (runs ? stop() : start())}
      >
        {wide && words}
      </Button>
      <Visit app={app} wide={wide} />
      <Dropdown trigger={['click']} menu={{ items, onClick: ({ key }) => choose(key) }} placement="bottomRight">
        <Button ref={more} type="text" icon={<MoreOutlined />} aria-label={t('apps:more_of', { name })} />
      </Dropdown>
    </div>
  );
});

function Visit({ app, wide }: { app: AppAnswer; wide: boolean }) {
  const { t } = useTranslation();
  const url = app.urls[0];
  const why = app.desired === 'stopped' ? t('apps:visit_stopped') : url ? null : t('apps:visit_nowhere');
  const label = t('apps:visit_app', { name: app.display_name });
  const common = { type: 'text', icon: <ExportOutlined />, children: wide && t('action.visit') } as const;
  if (why) {
    // Not `disabled`: it must get the focus to say why.
    return (
      <Tooltip title={why} trigger={['hover', 'focus']}>
        <Button {...common} className="unavailable" aria-disabled aria-label={`${label}. ${why}`} />
      </Tooltip>
    );
  }
  return <Button {...common} href={url} target="_blank" rel="noopener" title={wide ? undefined : t('action.visit')} aria-label={label} />;
}
