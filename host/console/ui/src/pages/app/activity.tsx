import { Button, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { useAppEvents } from '../../api/app-records';
import type { AppAnswer } from '../../api/schema';
import { ActivityList } from '../../components/activity-list';
import { Teach } from '../../components/empty';
import { ProblemAlert } from '../../components/problem';

/** Who did what to the app, and how that ended. */
export function ActivityPart({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('app');
  const events = useAppEvents(app.id);
  const all = events.data?.pages.flatMap((page) => page.items) ?? [];
  if (events.isPending) return <Skeleton active paragraph={{ rows: 6 }} />;
  return (
    <section aria-label={t('tab.activity')}>
      {events.isError && <ProblemAlert error={events.error} onRetry={() => void events.refetch()} />}
      {all.length > 0 && <ActivityList events={all} />}
      {all.length === 0 && !events.isError && <Teach title={t('activity.empty')}>{t('activity.empty_why')}</Teach>}
      {events.hasNextPage && (
        <div className="app-more">
          <Button loading={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>
            {t('activity.more')}
          </Button>
        </div>
      )}
    </section>
  );
}
