import { CheckCircleFilled, ClockCircleOutlined, CloseCircleFilled, MinusCircleOutlined, PauseCircleOutlined, SwapOutlined } from '@ant-design/icons';
import { Tag, Tooltip } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { EnvironmentInfo, EnvironmentStatus } from '../../api/schema';

const LOOK: Record<EnvironmentStatus, [color: string, icon: ReactNode]> = {
  online: ['success', <CheckCircleFilled key="i" />],
  lost: ['error', <CloseCircleFilled key="i" />],
  left: ['default', <MinusCircleOutlined key="i" />],
  awaited: ['processing', <ClockCircleOutlined key="i" />],
};

/** Whether it is there, and whether it takes apps: by icon, word and colour. */
export function EnvironmentStatusTags({ environment: one }: { environment: EnvironmentInfo }) {
  const { t } = useTranslation('environments');
  const [color, icon] = LOOK[one.status];
  return (
    <span className="environment-status">
      <Tooltip title={one.status === 'online' ? null : t(`status_why.${one.status}`)}>
        <Tag color={color} icon={icon} className="status" data-status={one.status}>
          {t(`status.${one.status}`)}
        </Tag>
      </Tooltip>
      {one.draining && (
        <Tooltip title={t('draining_why')}>
          <Tag color="processing" icon={<SwapOutlined />} className="status" data-status="draining">
            {t('draining')}
          </Tag>
        </Tooltip>
      )}
      {!one.schedulable && !one.draining && (
        <Tooltip title={t('cordoned_why')}>
          <Tag color="warning" icon={<PauseCircleOutlined />} className="status" data-status="cordoned">
            {t('cordoned')}
          </Tag>
        </Tooltip>
      )}
    </span>
  );
}
