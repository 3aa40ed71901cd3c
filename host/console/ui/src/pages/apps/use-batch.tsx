import { App, Button } from 'antd';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Data, type Deed, perform } from '../../api/app-actions';
import { ProblemError } from '../../api/problem';
import { keys, queryClient } from '../../api/queries';
import type { AppAnswer } from '../../api/schema';
import { count, type Result, runBatch } from './batch';

const AT_ONCE = 4;

export type BatchDeed = Exclude<Deed, 'restart'>;

/** A batch under way. */
export interface Progress {
  deed: BatchDeed;
  all: number;
  ended: number;
  failed: number;
  cancelling: boolean;
}

/** A batch that did not do all it should. */
export interface Report {
  deed: BatchDeed;
  data: Data;
  results: Result<AppAnswer>[];
}

/** Runs batches, one at a time. Those that end well say so in a message; the others leave a report. */
export function useBatch(onDone: (ids: string[]) => void) {
  const { message } = App.useApp();
  const { t } = useTranslation('apps');
  const [progress, setProgress] = useState<Progress>();
  const [report, setReport] = useState<Report>();
  const stop = useRef<AbortController>(undefined);
  // Who leaves the page sees no progress any more: what is under way ends, nothing further begins.
  useEffect(() => () => stop.current?.abort(), []);

  const run = useCallback(
    async function run(apps: AppAnswer[], deed: BatchDeed, data: Data = 'keep') {
      const abort = new AbortController();
      stop.current = abort;
      setReport(undefined);
      setProgress({ deed, all: apps.length, ended: 0, failed: 0, cancelling: false });
      const results = await runBatch(apps, (app) => performed(app, deed, data), {
        atOnce: AT_ONCE,
        signal: abort.signal,
        onProgress: (ended) => setProgress((old) => old && { ...old, ended: ended.length, failed: count(ended, 'failed') }),
      });
      setProgress(undefined);
      void queryClient.invalidateQueries({ queryKey: keys.apps });
      const done = results.filter((one) => one.outcome === 'done').map((one) => one.item);
      onDone(done.map((app) => app.id));
      if (done.length < apps.length) setReport({ deed, data, results });
      if (done.length === 0) return;
      const key = 'batch';
      const undo = () => {
        message.destroy(key);
        void run(done, 'start');
      };
      const content = (
        <>
          {t(`batch.done.${deed}`, { count: done.length })}
          {deed === 'stop' && (
            <Button type="link" size="small" onClick={undo}>
              {t('common:action.undo')}
            </Button>
          )}
        </>
      );
      void message.open({ key, type: 'success', content, duration: deed === 'stop' ? 10 : 4 });
    },
    [message, t, onDone],
  );
  const cancel = useCallback(() => {
    stop.current?.abort();
    setProgress((old) => old && { ...old, cancelling: true });
  }, []);
  const closeReport = useCallback(() => setReport(undefined), []);
  return { progress, report, run, cancel, closeReport };
}

async function performed(app: AppAnswer, deed: BatchDeed, data: Data) {
  const operation = await perform(app.id, deed, data);
  if (operation.status === 'succeeded') return;
  throw new ProblemError({ code: operation.status, status: 0, detail: operation.error ?? operation.status });
}
