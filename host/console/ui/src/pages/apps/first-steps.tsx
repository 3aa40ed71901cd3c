import { PlusOutlined, SearchOutlined, UploadOutlined } from '@ant-design/icons';
import { Button, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useComponents } from '../../api/components';
import { Teach } from '../../components/empty';

/** No app yet: the two steps to the first one. */
export function FirstSteps() {
  const { t } = useTranslation('apps');
  return (
    <Teach title={t('empty.title')} action={<Steps />}>
      {t('empty.why')}
    </Teach>
  );
}

function Steps() {
  const { t } = useTranslation('apps');
  const components = useComponents();
  const some = (components.data?.length ?? 0) > 0;
  return (
    <ol className="steps">
      <Step number={1} title={t('empty.upload')} why={some ? t('empty.upload_done', { count: components.data?.length }) : t('empty.upload_why')}>
        <Link to="/components">
          <Button type={some ? 'default' : 'primary'} icon={<UploadOutlined />} tabIndex={-1}>
            {t('empty.upload_go')}
          </Button>
        </Link>
      </Step>
      <Step number={2} title={t('empty.add')} why={t('empty.add_why')}>
        <Link to="/apps/new">
          <Button type={some ? 'primary' : 'default'} icon={<PlusOutlined />} tabIndex={-1}>
            {t('add')}
          </Button>
        </Link>
      </Step>
    </ol>
  );
}

function Step({ number, title, why, children }: { number: number; title: string; why: string; children: React.ReactNode }) {
  return (
    <li>
      <span className="step-number" aria-hidden>
        {number}
      </span>
      <div>
        <strong>{title}</strong>
        <div className="soft">{why}</div>
      </div>
      {children}
    </li>
  );
}

/** There are apps, but none that the filters let through. */
export function NothingFound({ onClear }: { onClear: () => void }) {
  const { t } = useTranslation('apps');
  return (
    <Teach
      title={t('nothing_found')}
      action={
        <Button icon={<SearchOutlined />} onClick={onClear}>
          {t('clear_filters')}
        </Button>
      }
    >
      {t('nothing_found_why')}
    </Teach>
  );
}

export function AppsSkeleton() {
  const { t } = useTranslation();
  return (
    <div className="skeleton" role="status" aria-label={t('state.loading')}>
      {Array.from({ length: 8 }, (_, index) => (
        <Skeleton key={index} active avatar={{ size: 32, shape: 'square' }} title={{ width: '30%' }} paragraph={{ rows: 1, width: '18%' }} />
      ))}
    </div>
  );
}
