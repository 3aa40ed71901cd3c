import { Button, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { useActivity } from '../../api/activity';
import { useMe } from '../../api/auth';
import { foldOperations } from '../../components/activity-fold';
import { ActivityList } from '../../components/activity-list';
import { Teach } from '../../components/empty';
import { PageHeader } from '../../components/page-header';
import { ProblemAlert } from '../../components/problem';
import { useSettled } from '../../components/use-settled';
import { useFormats } from '../../format';
import './activity.css';
import { byDay, type Field, filterOf, isEmpty } from './filter';
import { Filters } from './filters';

export function ActivityPage() {
  const { t } = useTranslation('activity');
  const { day } = useFormats();
  const [query, setQuery] = useSearchParams();
  const filter = filterOf(query);
  const search = useSettled(filter.search);
  const activity = useActivity({ ...filter, search });
  const me = useMe(false);
  const events = foldOperations(activity.data?.pages.flatMap((page) => page.items) ?? []);
  const actors = [...events.map((event) => event.actor), ...(me.data ? [me.data.email] : []), 'system'];
  const change = (field: Field, value: string | undefined) =>
    setQuery(
      (before) => {
        value ? before.set(field, value) : before.delete(field);
        return before;
      },
      { replace: true },
    );
  const clear = () => setQuery({}, { replace: true });
  return (
    <>
      <PageHeader title={t('title')} about={t('about')} />
      <Filters query={query} filter={filter} actors={actors} onChange={change} onClear={clear} />
      {activity.isError && <ProblemAlert error={activity.error} onRetry={() => void activity.refetch()} />}
      {activity.isPending && <Skeleton active paragraph={{ rows: 8 }} />}
      {activity.isSuccess && events.length === 0 && isEmpty(filter) && <Teach title={t('empty')}>{t('empty_why')}</Teach>}
      {activity.isSuccess && events.length === 0 && !isEmpty(filter) && (
        <Teach title={t('no_match')} action={<Button onClick={clear}>{t('clear')}</Button>} />
      )}
      {byDay(events).map(({ start, events: ofDay }) => (
        <section key={start} className="activity-day">
          <h2>{day(start)}</h2>
          <ActivityList events={ofDay} showApp />
        </section>
      ))}
      {activity.hasNextPage && (
        <div className="activity-more">
          <Button loading={activity.isFetchingNextPage} onClick={() => void activity.fetchNextPage()}>
            {t('more')}
          </Button>
        </div>
      )}
    </>
  );
}
