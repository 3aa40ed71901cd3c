import { CaretRightFilled, EllipsisOutlined, ReloadOutlined, StopOutlined } from '@ant-design/icons';
import { Button, Dropdown, Grid, type MenuProps } from 'antd';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import type { AppAnswer } from '../../api/schema';
import { type AppActions, useAppActions } from '../../components/app-actions';
import { useKeptFocus } from '../../components/use-kept-focus';
import { AppAvatar } from '../../components/app-avatar';
import { Copyable } from '../../components/copy';
import { PageHeader } from '../../components/page-header';
import { Statuses } from '../../components/status';
import { Visit } from './visit';

/** Who the app is, how it is, and what can be done to it as a whole. */
export function AppHead({ app }: { app: AppAnswer }) {
  return (
    <PageHeader
      name={app.display_name}
      title={
        <span className="head-name">
          <AppAvatar id={app.id} name={app.display_name} size={40} />
          <span className="head-name-text">{app.display_name}</span>
        </span>
      }
      about={
        <span className="head-about">
          <Statuses app={app} />
          <Copyable text={app.id} />
          <Link to={`/apps/${app.id}/component`}>
            {app.component.name} {app.component.version}
          </Link>
        </span>
      }
      actions={<Actions app={app} />}
    />
  );
}

function Actions({ app }: { app: AppAnswer }) {
  const actions = useAppActions(app);
  const group = useRef<HTMLDivElement>(null);
  useKeptFocus(group);
  return (
    <div ref={group} className="page-actions">
      <StartOrStop app={app} actions={actions} />
      <More app={app} actions={actions} />
      <Visit app={app} />
    </div>
  );
}

/** A stopped app can be started; one that should run, restarted or stopped. */
function StartOrStop({ app, actions }: { app: AppAnswer; actions: AppActions }) {
  const { t } = useTranslation();
  const roomy = Grid.useBreakpoint().sm;
  const { busy } = actions;
  const failed = (app.observed ?? []).some(({ status }) => status === 'failed');
  const startable = app.desired === 'stopped' || failed;
  const waits = (app.observed ?? []).every(({ status }) => status === 'waiting');
  return (
    <>
      {(startable || waits) && (
        <Button icon={<CaretRightFilled />} loading={busy === 'start'} disabled={busy !== null && busy !== 'start'} onClick={() => void actions.start()}>
          {t('action.start')}
        </Button>
      )}
      {!startable && !waits && roomy && (
        <Button
          icon={<ReloadOutlined />}
          loading={busy === 'restart'}
          disabled={busy !== null && busy !== 'restart'}
          onClick={() => void actions.restart()}
        >
          {t('action.restart')}
        </Button>
      )}
      {app.desired === 'running' && (
        <Button icon={<StopOutlined />} loading={busy === 'stop'} disabled={busy !== null && busy !== 'stop'} onClick={() => void actions.stop()}>
          {t('action.stop')}
        </Button>
      )}
    </>
  );
}

function More({ app, actions }: { app: AppAnswer; actions: AppActions }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const items: MenuProps['items'] = [
    { key: 'restart', label: t('action.restart'), disabled: actions.busy !== null || app.desired === 'stopped' },
    { key: 'logs', label: t('action.logs') },
    { key: 'settings', label: t('action.edit') },
    { type: 'divider' },
    { key: 'danger', label: t('action.delete'), danger: true },
  ];
  const choose = (key: string) => (key === 'restart' ? void actions.restart() : void navigate(`/apps/${app.id}/${key}`));
  return (
    <Dropdown trigger={['click']} menu={{ items, onClick: ({ key }) => choose(key) }} placement="bottomRight">
      <Button icon={<EllipsisOutlined />} aria-label={t('action.more')} />
    </Dropdown>
  );
}
