import { CheckCircleFilled, CloseCircleFilled, WarningFilled } from '@ant-design/icons';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { HealthCheck } from '../../api/schema';

const ICONS: Record<HealthCheck['status'], ReactNode> = {
  ok: <CheckCircleFilled />,
  warning: <WarningFilled />,
  failed: <CloseCircleFilled />,
};

/** Each check by icon and word; the host says what is wrong. */
export function Health({ checks }: { checks: readonly HealthCheck[] }) {
  const { t } = useTranslation('about');
  return (
    <ul className="health">
      {checks.map(({ name, status, message }) => (
        <li key={name} data-status={status}>
          <span className={`health-icon ${status}`} aria-hidden>
            {ICONS[status]}
          </span>
          <div>
            <div className="health-line">
              <strong>{t(`check.${name}`, { defaultValue: name })}</strong>
              <span>{t(`check_status.${status}`)}</span>
            </div>
            {message && (
            <p className="soft" dir="auto">
              {message}
            </p>
          )}
          </div>
        </li>
      ))}
    </ul>
  );
}
