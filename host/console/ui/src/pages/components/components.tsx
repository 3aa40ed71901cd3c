import { SearchOutlined } from '@ant-design/icons';
import { Button, Input, Select, Skeleton } from 'antd';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { useApps } from '../../api/apps';
import { useComponents } from '../../api/components';
import { Teach } from '../../components/empty';
import { PageHeader } from '../../components/page-header';
import { ProblemAlert } from '../../components/problem';
import './components.css';
import { ComponentDetail } from './detail';
import { DropAnywhere, UploadButton } from './drop';
import { groupLibrary, STATUSES, statusOf, usersOf } from './library';
import { Uploads } from './uploads';
import { Versions } from './versions';

export function ComponentsPage() {
  const { t } = useTranslation('components');
  const { digest } = useParams();
  const [query, setQuery] = useSearchParams();
  const navigate = useNavigate();
  const library = useComponents();
  const apps = useApps();
  const users = useMemo(() => apps.data && usersOf(apps.data), [apps.data]);
  const search = query.get('search') ?? '';
  const status = statusOf(query.get('status'));
  const groups = useMemo(() => groupLibrary(library.data ?? [], { search, status }), [library.data, search, status]);
  const set = (key: string, value: string | null) =>
    setQuery(
      (before) => {
        value ? before.set(key, value) : before.delete(key);
        return before;
      },
      { replace: true },
    );
  return (
    <>
      <PageHeader title={t('title')} about={t('about')} actions={<UploadButton />} />
      <DropAnywhere />
      <Uploads library={library.data ?? []} />
      {library.isError && <ProblemAlert error={library.error} onRetry={() => void library.refetch()} />}
      {library.isPending && <Skeleton active paragraph={{ rows: 8 }} />}
      {library.data?.length === 0 && (
        <Teach title={t('empty')} action={<UploadButton />}>
          {t('empty_why')}
        </Teach>
      )}
      {library.data && library.data.length > 0 && (
        <>
          <search className="library-filters">
            <Input
              allowClear
              prefix={<SearchOutlined />}
              value={search}
              placeholder={t('search')}
              aria-label={t('search')}
              onChange={(event) => set('search', event.target.value)}
            />
            <Select
              value={status ?? ''}
              aria-label={t('column.status')}
              onChange={(value) => set('status', value || null)}
              options={[{ value: '', label: t('any_status') }, ...STATUSES.map((value) => ({ value, label: t(`status.${value}`) }))]}
            />
          </search>
          {groups.length > 0 ? (
            <Versions groups={groups} users={users} />
          ) : (
            <Teach title={t('no_match')} action={<Button onClick={() => setQuery({}, { replace: true })}>{t('clear_filter')}</Button>} />
          )}
        </>
      )}
      <ComponentDetail
        digest={digest}
        library={library.data}
        users={users}
        onClose={() => void navigate({ pathname: '/components', search: query.toString() })}
      />
    </>
  );
}
