import { App } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Data, perform } from '../api/app-actions';
import { ProblemError } from '../api/problem';
import type { AppAnswer } from '../api/schema';
import DeletePrompt from './delete-prompt';

export interface DeleteAppProps {
  app: Pick<AppAnswer, 'id' | 'display_name'>;
  /** Called once the dialog is out of sight, whether the app was deleted or not. */
  onClose: () => void;
  /** Called as soon as the app is gone. */
  onDeleted?: () => void;
}

/** See DeleteAppDialog in app-actions, which loads it when it is asked for. */
export default function DeleteApp({ app, onClose, onDeleted }: DeleteAppProps) {
  const { t } = useTranslation('apps');
  const { message } = App.useApp();
  const [open, setOpen] = useState(true);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const remove = async (data: Data) => {
    setBusy(true);
    setProblem(undefined);
    try {
      const operation = await perform(app.id, 'delete', data);
      if (operation.status !== 'succeeded') {
        throw new ProblemError({ code: 'failed', status: 500, detail: operation.error ?? t('no_reason') });
      }
      const done = t(data === 'drop' ? 'deleted_drop' : 'deleted_keep', { name: app.display_name });
      void message.success(done);
      setOpen(false);
      onDeleted?.();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <DeletePrompt
      open={open}
      title={t('delete_title', { name: app.display_name })}
      typed={app.id}
      busy={busy}
      problem={problem}
      onDelete={(data) => void remove(data)}
      onCancel={() => setOpen(false)}
      afterClose={onClose}
    />
  );
}
