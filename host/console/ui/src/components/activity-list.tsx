// Who did what: the audit log as a list, for an app's page and for the page of all activity.
import {
  CheckCircleFilled,
  ClockCircleOutlined,
  CloseCircleFilled,
  MinusCircleOutlined,
  StopOutlined,
  SwapOutlined,
} from '@ant-design/icons';
import { Tag } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { AuditEvent } from '../api/schema';
import './activity-list.css';
import { foldOperations } from './activity-fold';
import { Time } from './time';

const RESULT: Record<string, [color: string, icon: ReactNode]> = {
  succeeded: ['success', <CheckCircleFilled key="i" />],
  failed: ['error', <CloseCircleFilled key="i" />],
  refused: ['warning', <StopOutlined key="i" />],
  accepted: ['processing', <ClockCircleOutlined key="i" />],
  superseded: ['default', <SwapOutlined key="i" />],
};

interface Props {
  events: AuditEvent[];
  /** Names the app of each entry, with a link; not on the app's own page. */
  showApp?: boolean;
}

/** Entries as they come, newest first. */
export function ActivityList({ events, showApp = false }: Props) {
  const { t } = useTranslation('common');
  return (
    <ol className="activity" aria-label={t('activity.label')}>
      {foldOperations(events).map((event) => (
        <Entry key={event.id} event={event} showApp={showApp} />
      ))}
    </ol>
  );
}

function Entry({ event, showApp }: { event: AuditEvent; showApp: boolean }) {
  const { t } = useTranslation('common');
  const action = useActionName();
  const [color, icon] = RESULT[event.result] ?? ['default', <MinusCircleOutlined key="i" />];
  return (
    <li className="activity-entry">
      <div className="activity-what">
        <strong>{action(event.action)}</strong>
        {showApp && event.app && <Link to={`/apps/${encodeURIComponent(event.app)}`}>{event.app}</Link>}
        {event.subject && <code className="activity-subject">{event.subject}</code>}
      </div>
      <div className="activity-who soft">
        <span>{event.actor === 'system' ? t('activity.system') : event.actor}</span>
        {event.address && <span>{t('activity.from', { address: event.address })}</span>}
      </div>
      <div className="activity-when">
        <Tag color={color} icon={icon} className="status">
          {t(`activity.result.${event.result}`, { defaultValue: event.result })}
        </Tag>
        <span className="soft">
          <Time ms={event.time} />
        </span>
      </div>
      {event.message && <p className={event.result === 'failed' ? 'activity-message failed' : 'activity-message soft'}>{event.message}</p>}
    </li>
  );
}

/** An action's code in words; one that is not known stays as it is. */
export function useActionName(): (code: string) => string {
  const { t } = useTranslation('common');
  return (code) => {
    const words: unknown = t(`activity.action.${code}`, { defaultValue: code, returnObjects: true });
    return typeof words === 'string' ? words : code;
  };
}
