import { CheckCircleFilled, ClockCircleOutlined, CloseCircleFilled, LoadingOutlined } from '@ant-design/icons';
import { Tag } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { ComponentStatus, World } from '../../api/schema';

const LOOK: Record<ComponentStatus, [color: string, icon: ReactNode]> = {
  queued: ['default', <ClockCircleOutlined key="i" />],
  compiling: ['processing', <LoadingOutlined key="i" />],
  ready: ['success', <CheckCircleFilled key="i" />],
  failed: ['error', <CloseCircleFilled key="i" />],
};

/** How far a component is, by icon and word. */
export function ComponentStatusTag({ status }: { status: ComponentStatus }) {
  const { t } = useTranslation('components');
  const [color, icon] = LOOK[status];
  return (
    <Tag color={color} icon={icon} className="status" data-status={status}>
      {t(`status.${status}`)}
    </Tag>
  );
}

/** The world that a component speaks, as people call it. The names are the standard's, in every language. */
export const worldName = (world: World) => (world === 'wasi:http/service@0.3' ? 'WASI 0.3 HTTP' : 'WASI 0.2 HTTP');
