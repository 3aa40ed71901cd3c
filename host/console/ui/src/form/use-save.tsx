import { useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { updateApp } from '../api/apps';
import { type ProblemError, toProblem } from '../api/problem';
import { keys } from '../api/queries';
import type { AppAnswer, AppPatch } from '../api/schema';
import type { FormHandle } from './context';
import { goTo } from './field';
import { patchOf, undoOf } from './logic/convert';
import type { DraftField } from './logic/draft';
import { fieldOf } from './logic/problems';
import type { Edit } from './part';

interface Options {
  app: AppAnswer;
  edit: Edit | null;
  form: FormHandle;
  fields: readonly DraftField[];
  onDone: () => void;
}

/** Sends what changed; says so with a way back, where there is one; puts refusals where they belong. */
export function useSave({ app, edit, form, fields, onDone }: Options) {
  const { t } = useTranslation('form');
  const { message, modal } = App.useApp();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemError>();

  const send = async (patch: AppPatch) => {
    const changed = await updateApp(app.id, patch);
    void client.invalidateQueries({ queryKey: keys.appPart(app.id, 'jwt') });
    return changed;
  };
  const sayUndone = (undo: AppPatch) =>
    send(undo).then(
      () => message.success(t('part.undone')),
      (error: unknown) => message.error(`${t('part.undo_failed')}: ${toProblem(error).message}`),
    );
  const saySaved = (undo: AppPatch | null) => {
    const key = `saved-${Date.now()}`;
    const back = () => {
      message.destroy(key);
      if (undo) void sayUndone(undo);
    };
    const content = (
      <>
        {t('common:state.saved')}{' '}
        {undo && (
          <Button type="link" size="small" onClick={back}>
            {t('common:action.undo')}
          </Button>
        )}
      </>
    );
    void message.open({ key, type: 'success', content, duration: undo ? 10 : 3 });
  };
  /** What cannot be taken back, or has consequences beyond the app, is said first. */
  const agree = async (patch: AppPatch): Promise<boolean> => {
    const risks = risksOf(patch, app);
    if (risks.length === 0) return true;
    return modal.confirm({
      title: t('part.sure'),
      content: (
        <ul className="risks">
          {risks.map((risk) => (
            <li key={risk}>{t(`risk.${risk}`)}</li>
          ))}
        </ul>
      ),
      okText: t('common:action.save'),
      cancelText: t('common:action.cancel'),
      width: 480,
    });
  };
  const save = async () => {
    if (!edit || busy) return;
    setProblem(undefined);
    const wrong = form.firstWrong();
    if (wrong) return void setTimeout(() => goTo(wrong), 60);
    const patch = patchOf(edit.base, edit.draft);
    if (!(await agree(patch))) return;
    setBusy(true);
    try {
      await send(patch);
      onDone();
      saySaved(undoOf(edit.base, edit.draft));
    } catch (error) {
      const refusal = toProblem(error);
      const path = form.refuse(refusal);
      if (path && fields.includes(fieldOf(path))) setTimeout(() => goTo(path), 60);
      else setProblem(refusal);
    } finally {
      setBusy(false);
    }
  };
  return { save, busy, problem, forget: () => setProblem(undefined) };
}

export type Risk = 'database_moved' | 'database_gone' | 'key_new' | 'key_shared' | 'key_own';

/** What a change does that one should know before. */
export function risksOf(patch: AppPatch, app: Pick<AppAnswer, 'database' | 'jwt'>): Risk[] {
  const risks: Risk[] = [];
  if (patch.database && app.database.kind !== 'none') risks.push(patch.database.kind === 'none' ? 'database_gone' : 'database_moved');
  if (patch.jwt) {
    const { independent } = patch.jwt;
    const was = app.jwt.independent ?? true;
    if (independent === false && was) risks.push('key_shared');
    else if (independent && !was) risks.push('key_own');
    else risks.push('key_new');
  }
  return risks;
}
