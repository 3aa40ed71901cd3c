import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AppAnswer } from '../../api/schema';
import { BatchBar } from './batch-bar';
import { type BatchDeed, useBatch } from './use-batch';

// Needed by few visits.
const BatchReport = lazy(() => import('./batch-report'));
const DeletePrompt = lazy(() => import('../../components/delete-prompt'));

/** How many of the apps to be deleted are named. */
const NAMED = 8;

interface Props {
  apps: AppAnswer[];
  /** Those that the filters let through. */
  shown: AppAnswer[];
  selected: string[];
  onSelect: (change: (ids: string[]) => string[]) => void;
}

/** The selected apps, and what is done to them. */
export function Batch({ apps, shown, selected, onSelect }: Props) {
  const chosen = useMemo(() => {
    const ids = new Set(selected);
    return apps.filter((app) => ids.has(app.id));
  }, [apps, selected]);
  const hidden = useMemo(() => {
    const visible = new Set(shown);
    return chosen.filter((app) => !visible.has(app)).length;
  }, [chosen, shown]);
  const deselect = useCallback(
    (ids: string[]) => {
      const done = new Set(ids);
      onSelect((old) => old.filter((id) => !done.has(id)));
    },
    [onSelect],
  );
  const { progress, report, run, cancel, closeReport } = useBatch(deselect);
  const [deleting, setDeleting] = useState<AppAnswer[]>();
  const begin = (deed: BatchDeed) => (deed === 'delete' ? setDeleting(chosen) : void run(chosen, deed));
  return (
    <>
      <BatchBar selected={chosen.length} hidden={hidden} progress={progress} onDeed={begin} onCancel={cancel} onClear={() => onSelect(() => [])} />
      <Suspense fallback={null}>
        {deleting && <DeleteMany apps={deleting} onDelete={(data) => void run(deleting, 'delete', data)} onClose={() => setDeleting(undefined)} />}
        {report && <BatchReport report={report} onRetry={(rest) => void run(rest, report.deed, report.data)} onClose={closeReport} />}
      </Suspense>
    </>
  );
}

function DeleteMany({ apps, onDelete, onClose }: { apps: AppAnswer[]; onDelete: (data: 'keep' | 'drop') => void; onClose: () => void }) {
  const { t } = useTranslation('apps');
  const [open, setOpen] = useState(true);
  const more = apps.length - NAMED;
  const remove = (data: 'keep' | 'drop') => {
    setOpen(false);
    onDelete(data);
  };
  return (
    <DeletePrompt
      open={open}
      title={t('batch.delete_title', { count: apps.length })}
      typed={String(apps.length)}
      onDelete={remove}
      onCancel={() => setOpen(false)}
      afterClose={onClose}
    >
      <ul className="batch-names">
        {apps.slice(0, NAMED).map((app) => (
          <li key={app.id}>
            {app.display_name} <span className="soft">{app.id}</span>
          </li>
        ))}
        {more > 0 && <li>{t('batch.and_more', { count: more })}</li>}
      </ul>
    </DeletePrompt>
  );
}
