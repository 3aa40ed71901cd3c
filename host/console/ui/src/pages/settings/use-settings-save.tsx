import { App, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type ProblemError, toProblem } from '../../api/problem';
import { saveSettings } from '../../api/settings';
import { type Draft, patchOf } from './draft';

/** Sends what changed and says so, with a way back. */
export function useSettingsSave(onDone: () => void) {
  const { t } = useTranslation('settings');
  const { message } = App.useApp();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemError>();

  const undo = async (from: Draft, to: Draft) => {
    try {
      await saveSettings(patchOf(from, to) ?? {});
      void message.success(t('undone'));
    } catch (error) {
      void message.error(t('undo_failed', { why: toProblem(error).message }));
    }
  };
  const saySaved = (from: Draft, to: Draft) => {
    const key = `settings-${Date.now()}`;
    const back = () => {
      message.destroy(key);
      void undo(to, from);
    };
    const content = (
      <>
        {t('common:state.saved')}{' '}
        <Button type="link" size="small" onClick={back}>
          {t('common:action.undo')}
        </Button>
      </>
    );
    void message.open({ key, type: 'success', content, duration: 10 });
  };
  const save = async (from: Draft, to: Draft) => {
    const patch = patchOf(from, to);
    if (!patch || busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await saveSettings(patch);
      onDone();
      saySaved(from, to);
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return { save, busy, problem, forget: () => setProblem(undefined) };
}
