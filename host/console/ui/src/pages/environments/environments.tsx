import { Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { useEnvironments } from '../../api/environments';
import { PageHeader } from '../../components/page-header';
import { ProblemAlert } from '../../components/problem';
import { EnvironmentCard } from './environment-card';
import './environments.css';

export function EnvironmentsPage() {
  const { t } = useTranslation('environments');
  const environments = useEnvironments();
  return (
    <>
      <PageHeader title={t('title')} about={t('about')} />
      {environments.isError && <ProblemAlert error={environments.error} onRetry={() => void environments.refetch()} />}
      {environments.isPending && <Skeleton active paragraph={{ rows: 8 }} />}
      <div className="environments">
        {environments.data?.map((environment) => (
          <EnvironmentCard key={environment.name} environment={environment} />
        ))}
      </div>
      {environments.data?.length === 1 && <p className="soft environments-more">{t('more_with_workers')}</p>}
    </>
  );
}
