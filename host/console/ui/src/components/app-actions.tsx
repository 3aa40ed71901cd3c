// What can be done to an app, with its feedback: for the table, the app's own page and the command palette.
import { App, Button } from 'antd';
import { lazy, Suspense, useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { type Deed, perform, useBusy } from '../api/app-actions';
import type { AppAction } from '../api/apps';
import { api } from '../api/client';
import { putApp } from '../api/live';
import { toProblem } from '../api/problem';
import type { AppAnswer, Operation } from '../api/schema';
import type { DeleteAppProps } from './delete-app';

const DeleteApp = lazy(() => import('./delete-app'));

/** Asks whether to delete an app and what becomes of its data, and does so. Mount it to open it. */
export function DeleteAppDialog(props: DeleteAppProps) {
  return (
    <Suspense fallback={null}>
      <DeleteApp {...props} />
    </Suspense>
  );
}

type Named = Pick<AppAnswer, 'id' | 'display_name'>;

/** How long a message with Undo stays, in seconds; it stays longer while the pointer is on it. */
const UNDO_SECONDS = 10;

export interface AppActions {
  /** What is being done to it now, whoever on this page asked for it. */
  busy: Deed | null;
  /** Each ends when the app has started, stopped or restarted, or could not; it tells the person by itself. */
  start: () => Promise<void>;
  stop: () => Promise<void>;
  restart: () => Promise<void>;
}

/** Start, stop and restart for one app. */
export function useAppActions(app: Named): AppActions {
  const run = useRunAction();
  const busy = useBusy(app.id);
  const { id, display_name } = app;
  return useMemo(() => {
    const named = { id, display_name };
    return { busy, start: () => run(named, 'start'), stop: () => run(named, 'stop'), restart: () => run(named, 'restart') };
  }, [busy, run, id, display_name]);
}

/** The same for whichever app it is called with. */
export function useRunAction() {
  const { message } = App.useApp();
  const { t } = useTranslation('apps');
  const tellFailure = useTellFailure();
  return useCallback(
    async function run(app: Named, action: AppAction): Promise<void> {
      const key = `act-${app.id}`;
      const name = app.display_name;
      void message.open({ key, type: 'loading', content: t(`doing.${action}`, { name }), duration: 0 });
      try {
        const operation = await perform(app.id, action);
        void reread(app.id);
        if (operation.status === 'failed') {
          message.destroy(key);
          return tellFailure(app, action, operation);
        }
        if (operation.status === 'superseded') return void message.open({ key, type: 'info', content: t('superseded', { name }) });
        const undo = () => {
          message.destroy(key);
          void run(app, 'start');
        };
        const content = <Done text={t(`done.${action}`, { name })} onUndo={action === 'stop' ? undo : undefined} />;
        void message.open({ key, type: 'success', content, duration: action === 'stop' ? UNDO_SECONDS : 3 });
      } catch (error) {
        message.destroy(key);
        tellFailure(app, action, error);
      }
    },
    [message, t, tellFailure],
  );
}

function Done({ text, onUndo }: { text: string; onUndo?: () => void }) {
  const { t } = useTranslation();
  return (
    <>
      {text}
      {onUndo && (
        <Button type="link" size="small" onClick={onUndo}>
          {t('action.undo')}
        </Button>
      )}
    </>
  );
}

/** Says why an action failed: the operation's reason or the API's refusal, with the way to the app's log. */
function useTellFailure() {
  const { notification } = App.useApp();
  const { t } = useTranslation('apps');
  const navigate = useNavigate();
  return useCallback(
    (app: Named, action: AppAction, failure: unknown) => {
      const key = `failed-${app.id}`;
      const goToLog = () => {
        notification.destroy(key);
        void navigate(`/apps/${app.id}/logs`);
      };
      notification.error({
        key,
        title: t(`failed.${action}`, { name: app.display_name }),
        description: <Reason failure={failure} />,
        actions: <Button onClick={goToLog}>{t('open_log')}</Button>,
        duration: 0,
      });
    },
    [notification, t, navigate],
  );
}

function Reason({ failure }: { failure: unknown }) {
  const { t } = useTranslation();
  if (isOperation(failure)) return <span className="reason">{failure.error ?? t('apps:no_reason')}</span>;
  const problem = toProblem(failure);
  return (
    <span className="reason">
      {problem.code === 'unreachable' ? t('problem.unreachable_why') : problem.message}
      {problem.reference && <span className="soft"> {t('problem.reference', { reference: problem.reference })}</span>}
    </span>
  );
}

function isOperation(value: unknown): value is Operation {
  return typeof value === 'object' && value !== null && !(value instanceof Error) && 'status' in value && 'kind' in value;
}

/** Live events tell as much; not while the event stream is cut. */
async function reread(id: string) {
  const { data } = await api.GET('/api/apps/{id}', { params: { path: { id } } }).catch(() => ({ data: undefined }));
  if (data) putApp(data);
}
