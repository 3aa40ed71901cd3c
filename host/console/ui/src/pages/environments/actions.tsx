import { DeleteOutlined, ExportOutlined, MoreOutlined, PauseCircleOutlined, PlayCircleOutlined } from '@ant-design/icons';
import { Button, Dropdown, type MenuProps } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { isThisProcess } from '../../api/environments';
import type { EnvironmentInfo } from '../../api/schema';
import { deedsOf, type EnvironmentDeed, useEnvironmentActions } from './use-actions';

const ICONS: Record<EnvironmentDeed, ReactNode> = {
  cordon: <PauseCircleOutlined />,
  uncordon: <PlayCircleOutlined />,
  drain: <ExportOutlined />,
  remove: <DeleteOutlined />,
};

/** What can be done to a worker, behind one button. */
export function EnvironmentActions({ environment }: { environment: EnvironmentInfo }) {
  const { t } = useTranslation('environments');
  const actions = useEnvironmentActions(environment);
  if (isThisProcess(environment)) return null;
  const items: MenuProps['items'] = deedsOf(environment).map(({ deed, why }) => ({
    key: deed,
    icon: ICONS[deed],
    danger: deed === 'remove',
    disabled: why !== undefined,
    label: (
      <span className="environment-deed">
        {t(`action.${deed}`)}
        <span className="soft">{why ? t(`remove_not.${why}`) : t(`action_why.${deed}`)}</span>
      </span>
    ),
  }));
  return (
    <Dropdown trigger={['click']} menu={{ items, onClick: ({ key }) => actions[key as EnvironmentDeed]() }} placement="bottomRight">
      <Button type="text" icon={<MoreOutlined />} loading={actions.busy} aria-label={t('more_of', { name: environment.name })} />
    </Dropdown>
  );
}

/** The same as buttons, in a drawer's foot. */
export function EnvironmentButtons({ environment, onRemoved }: { environment: EnvironmentInfo; onRemoved: () => void }) {
  const { t } = useTranslation('environments');
  const actions = useEnvironmentActions(environment, onRemoved);
  return (
    <div className="environment-buttons">
      {deedsOf(environment).map(({ deed, why }) => (
        <Button key={deed} icon={ICONS[deed]} danger={deed === 'remove'} disabled={why !== undefined || actions.busy} onClick={() => actions[deed]()}>
          {t(`action.${deed}`)}
        </Button>
      ))}
      {deedsOf(environment).map(({ deed, why }) => why && <span key={deed} className="soft">{t(`remove_not.${why}`)}</span>)}
    </div>
  );
}
