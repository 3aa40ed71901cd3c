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
import type { AppAnswer, Observed, Status } from '../api/schema';
import { useFormats } from '../format';
import { observations } from './observations';

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

/** How an app is, in each of its environments; where they are several, or others than this process, with their names. */
export function Statuses({ app }: { app: AppAnswer }) {
  const { t } = useTranslation();
  const seen = observations(app);
  const withPlace = seen.length > 1 || seen.some((one) => one.environment !== 'local');
  if (seen.length === 0) {
    return (
      <Tag icon={<QuestionCircleOutlined />} className="status" data-status="unplaced">
        {t('status.unplaced')}
      </Tag>
    );
  }
  return seen.map((one) => <StatusTag key={one.environment} observed={one} showEnvironment={withPlace} />);
}

/** Where something is the case; isolated, for languages from right to left. */
function Place({ name }: { name: string }) {
  return (
    <span className="status-place">
      <bdi>{name}</bdi>:{' '}
    </span>
  );
}

/** A status by icon, word and colour; its tooltip says why and since when. */
export function StatusTag({ observed, showEnvironment = false }: { observed: Observed; showEnvironment?: boolean }) {
  const { t } = useTranslation();
  const { relative } = useFormats();
  const [color, icon] = LOOK[observed.status];
  const why = [observed.message, relative(observed.since)].filter(Boolean).join(' · ');
  return (
    <Tooltip title={why}>
      <Tag color={color} icon={icon} className="status" data-status={observed.status}>
        {showEnvironment && <Place name={observed.environment} />}
        {t(`status.${observed.status}`)}
      </Tag>
    </Tooltip>
  );
}
