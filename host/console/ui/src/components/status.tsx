import {
  CheckCircleFilled,
  ClockCircleOutlined,
  CloseCircleFilled,
  LoadingOutlined,
  MinusCircleOutlined,
  QuestionCircleOutlined,
} from '@ant-design/icons';
import { Tag, Tooltip } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Observed, Status } from '../api/schema';
import { useFormats } from '../format';

const LOOK: Record<Status, [color: string, icon: ReactNode]> = {
  running: ['success', <CheckCircleFilled key="i" />],
  waiting: ['cyan', <ClockCircleOutlined key="i" />],
  preparing: ['processing', <LoadingOutlined key="i" />],
  starting: ['processing', <LoadingOutlined key="i" />],
  stopping: ['processing', <LoadingOutlined key="i" />],
  stopped: ['default', <MinusCircleOutlined key="i" />],
  failed: ['error', <CloseCircleFilled key="i" />],
  unknown: ['warning', <QuestionCircleOutlined key="i" />],
};

/** A status by icon, word and colour; its tooltip says why and since when. */
export function StatusTag({ observed, showEnvironment = false }: { observed: Observed; showEnvironment?: boolean }) {
  const { t } = useTranslation();
  const { relative } = useFormats();
  const [color, icon] = LOOK[observed.status];
  const why = [observed.message, relative(observed.since)].filter(Boolean).join(' · ');
  return (
    <Tooltip title={why}>
      <Tag color={color} icon={icon} className="status" data-status={observed.status}>
        {showEnvironment ? `${observed.environment}: ` : ''}
        {t(`status.${observed.status}`)}
      </Tag>
    </Tooltip>
  );
}
