import { PlusOutlined } from '@ant-design/icons';
import { Button, Grid } from 'antd';
import { useCallback, useDeferredValue, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { useApps, useUsage } from '../../api/apps';
import type { AppAnswer } from '../../api/schema';
import { DeleteAppDialog } from '../../components/app-actions';
import { PageHeader } from '../../components/page-header';
import { ProblemAlert } from '../../components/problem';
import { AppCards } from './app-cards';
import { AppTable } from './app-table';
import { Batch } from './batch-part';
import './apps.css';
import { AppsSkeleton, FirstSteps, NothingFound } from './first-steps';
import { fitting } from './columns';
import { select } from './select';
import { useRoom } from './table-room';
import { Toolbar } from './toolbar';
import { useView } from './use-view';
import { NO_FILTERS } from './view';

/** The room at the window's end that the bar for the selected apps takes, in pixels. */
const BATCH_BAR = 60;

/** All apps: finding, watching and handling them. */
export function AppsPage() {
  const { t } = useTranslation('apps');
  const navigate = useNavigate();
  const apps = useApps();
  const add = (
    <Button type="primary" icon={<PlusOutlined />} href="/apps/new" onClick={(event) => goWithin(event, () => void navigate('/apps/new'))}>
      {t('add')}
    </Button>
  );
  return (
    <>
      <PageHeader title={t('common:nav.apps')} actions={add} />
      {apps.error && <ProblemAlert error={apps.error} onRetry={() => void apps.refetch()} />}
      {apps.isPending && !apps.error && <AppsSkeleton />}
      {apps.data?.length === 0 && <FirstSteps />}
      {apps.data && apps.data.length > 0 && <Apps apps={apps.data} />}
    </>
  );
}

/** A link's click, unless it is one for a new tab. */
function goWithin(event: React.MouseEvent, go: () => void) {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go();
}

function Apps({ apps: latest }: { apps: AppAnswer[] }) {
  const { i18n } = useTranslation();
  const usage = useUsage().data ?? null;
  const { view, change } = useView();
  const narrow = !(Grid.useBreakpoint().md ?? true);
  const [selected, setSelected] = useState<string[]>([]);
  const [deleting, setDeleting] = useState<AppAnswer>();
  const close = useCallback(() => setDeleting(undefined), []);
  const frame = useRef<HTMLDivElement>(null);
  const room = useRoom(frame);
  const columns = useMemo(() => view.columns ?? fitting(room.width), [view.columns, room.width]);
  // Live updates may come by the hundred; typing and scrolling go before them.
  const apps = useDeferredValue(latest);
  const shown = useMemo(() => select(apps, view, usage ?? undefined, i18n.language), [apps, view, usage, i18n.language]);
  const list = { apps: shown, usage, view, change, selected, onSelect: setSelected, onDelete: setDeleting };
  return (
    <>
      <Toolbar apps={apps} shown={shown.length} view={view} change={change} narrow={narrow} columns={columns} />
      <Batch apps={apps} shown={shown} selected={selected} onSelect={setSelected} />
      <div ref={frame} className={narrow ? undefined : 'app-table'}>
        {shown.length === 0 && <NothingFound onClear={() => change({ search: '', filters: NO_FILTERS })} />}
        {shown.length > 0 && narrow && <AppCards {...list} />}
        {shown.length > 0 && !narrow && room.width > 0 && (
          <AppTable {...list} room={selected.length > 0 ? { ...room, height: room.height - BATCH_BAR } : room} shown={columns} />
        )}
      </div>
      {selected.length > 0 && narrow && <div className="batch-space" />}
      {deleting && <DeleteAppDialog app={deleting} onClose={close} />}
    </>
  );
}
