import { Alert } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { AppAnswer, Observed } from '../../api/schema';
import { Time } from '../../components/time';

/** Why the app does not run although it should, since when, and what to do next. */
export function Trouble({ app }: { app: AppAnswer }) {
  const observed = app.observed ?? [];
  return observed
    .filter(({ status }) => status === 'failed' || status === 'unknown')
    .map((one) => <Banner key={one.environment} app={app} observed={one} named={observed.length > 1} />);
}

function Banner({ app, observed, named }: { app: AppAnswer; observed: Observed; named: boolean }) {
  const { t } = useTranslation('app');
  const failed = observed.status === 'failed';
  const environment = observed.environment;
  return (
    <Alert
      type={failed ? 'error' : 'warning'}
      showIcon
      className="trouble"
      title={t(`trouble.${observed.status}${named ? '_in' : ''}`, { environment })}
      description={
        <>
          <p className="trouble-why">{observed.message ?? t(failed ? 'trouble.no_reason' : 'trouble.unknown_why')}</p>
          <p className="trouble-next">
            <span className="soft">
              {t('trouble.since')} <Time ms={observed.since} />
            </span>
            {failed && <Next id={app.id} />}
          </p>
        </>
      }
    />
  );
}

function Next({ id }: { id: string }) {
  const { t } = useTranslation('app');
  return (['logs', 'settings', 'limits', 'component'] as const).map((tab) => (
    <Link key={tab} to={`/apps/${id}/${tab}`}>
      {t(`trouble.go_${tab}`)}
    </Link>
  ));
}
