import { PlusOutlined } from '@ant-design/icons';
import { Button, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { isAlone, useEnvironments } from '../../api/environments';
import type { EnvironmentInfo } from '../../api/schema';
import { Teach } from '../../components/empty';
import { PageHeader } from '../../components/page-header';
import { ProblemAlert } from '../../components/problem';
import { EnvironmentDetail } from './detail';
import { EnvironmentCard } from './environment-card';
import { EnvironmentList } from './list';
import { StartWorker } from './start-worker';
import './environments.css';

export function EnvironmentsPage() {
  const { t } = useTranslation('environments');
  const { name } = useParams();
  const navigate = useNavigate();
  const environments = useEnvironments();
  const [teaching, setTeaching] = useState(false);
  const all = environments.data;
  const teach = (
    <Button icon={<PlusOutlined />} onClick={() => setTeaching(true)}>
      {t('worker.title')}
    </Button>
  );
  return (
    <>
      <PageHeader title={t('title')} about={t('about')} actions={all && all.length > 0 && teach} />
      {environments.isError && <ProblemAlert error={environments.error} onRetry={() => void environments.refetch()} />}
      {environments.isPending && <Skeleton active paragraph={{ rows: 8 }} />}
      {all && <Environments all={all} />}
      {all?.length === 0 && (
        <Teach title={t('empty')} action={teach}>
          {t('worker.about')}
        </Teach>
      )}
      <EnvironmentDetail name={name} all={all} onClose={() => void navigate('/environments')} />
      <StartWorker open={teaching} alone={all !== undefined && isAlone(all)} onClose={() => setTeaching(false)} />
    </>
  );
}

/** One is told wholly; several stand beneath one another, each with its details behind its name. */
function Environments({ all }: { all: EnvironmentInfo[] }) {
  const { t } = useTranslation('environments');
  if (all.length === 0) return null;
  if (!isAlone(all)) return <EnvironmentList environments={all} />;
  return (
    <>
      <div className="environments">
        {all.map((one) => (
          <EnvironmentCard key={one.name} environment={one} />
        ))}
      </div>
      <p className="soft environments-more">{t('more_with_workers')}</p>
    </>
  );
}
