import { App } from 'antd';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { act, createApp } from '../../api/apps';
import { idempotencyKey } from '../../api/client';
import { type ProblemError, toProblem } from '../../api/problem';
import type { FormHandle } from '../../form/context';
import { allSaved } from '../../form/leave';
import { toNewApp } from '../../form/logic/convert';
import type { Draft } from '../../form/logic/draft';
import { forgetDraft } from '../../form/logic/keep';
import type { LimitValues } from '../../form/logic/limits';

interface Options {
  draft: Draft;
  standard: LimitValues;
  form: FormHandle;
  /** Brings a field into view. */
  show: (path: string) => void;
}

/** Makes the app, and starts it if so asked; what is refused is shown where it belongs. */
export function useCreate({ draft, standard, form, show }: Options) {
  const { t } = useTranslation('form');
  const { message, notification } = App.useApp();
  const navigate = useNavigate();
  const [busy, setBusy] = useState<'create' | 'start'>();
  const [problem, setProblem] = useState<ProblemError>();
  // The same form sent twice, because an answer was lost, makes one app.
  const sent = useRef({ body: '', key: idempotencyKey() });
  const create = async (start: boolean) => {
    if (busy) return;
    setProblem(undefined);
    const wrong = form.firstWrong();
    if (wrong) return show(wrong);
    const app = toNewApp(draft, standard);
    if (start && app.start_mode === 'with_host') app.desired = 'running';
    const body = JSON.stringify(app);
    if (sent.current.body !== body) sent.current = { body, key: idempotencyKey() };
    setBusy(start ? 'start' : 'create');
    try {
      const made = await createApp(app, sent.current.key);
      forgetDraft();
      allSaved();
      void message.success(t('new.created', { name: made.display_name }));
      void navigate(`/apps/${made.id}`);
      if (start && made.start_mode === 'on_first_visit') startNow(made.id, made.display_name);
    } catch (error) {
      const refusal = toProblem(error);
      const path = form.refuse(refusal);
      if (path) show(path);
      else {
        setProblem(refusal);
        document.getElementById('content')?.scrollIntoView();
      }
    } finally {
      setBusy(undefined);
    }
  };
  /** Goes on behind the app's own page, which shows how far it is. */
  const startNow = (id: string, name: string) => {
    const failed = (why: string) => notification.error({ title: t('new.not_started', { name }), description: why });
    act(id, 'start').then(
      (operation) => operation.status === 'failed' && failed(operation.error ?? ''),
      (error: unknown) => failed(toProblem(error).message),
    );
  };
  return { create, busy, problem };
}
