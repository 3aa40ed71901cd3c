// A part of an app's settings, changed by itself: it follows what happens on the host until one types in it.
import { InfoCircleOutlined } from '@ant-design/icons';
import { App, Button } from 'antd';
import { type FormEvent, type ReactNode, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useHostSettings } from '../api/form';
import type { AppAnswer } from '../api/schema';
import { ProblemAlert } from '../components/problem';
import { FormContext, useFormState } from './context';
import { LeaveGuard, useUnsaved } from './leave';
import { isEmpty, patchOf } from './logic/convert';
import { type Draft, type DraftField, draftOf } from './logic/draft';
import { limitValues, STANDARD } from './logic/limits';
import { useSave } from './use-save';

interface Props {
  app: AppAnswer;
  fields: readonly DraftField[];
  children: ReactNode;
}

/** What is typed, and what it was typed over. */
export interface Edit {
  base: Draft;
  draft: Draft;
}

export function Part({ app, fields, children }: Props) {
  const { t } = useTranslation('form');
  const { message } = App.useApp();
  const settings = useHostSettings();
  const standard = useMemo(() => (settings.data ? limitValues(settings.data.limits) : STANDARD), [settings.data]);
  const live = useMemo(() => draftOf(app), [app]);
  const [edit, setEdit] = useState<Edit | null>(null);
  const draft = edit?.draft ?? live;
  const change = (next: Draft) => {
    const base = edit?.base ?? live;
    setEdit(isEmpty(patchOf(base, next)) && sameRows(base, next) ? null : { base, draft: next });
  };
  const form = useFormState({ draft, onChange: change, fields, app, standard });
  const stale = edit !== null && fields.some((field) => JSON.stringify(edit.base[field]) !== JSON.stringify(live[field]));
  const done = () => {
    setEdit(null);
    form.reset();
  };
  const { save, busy, problem, forget } = useSave({ app, edit, form, fields, onDone: done });
  useUnsaved(edit !== null);
  const drop = () => {
    done();
    forget();
  };
  const discard = () => {
    drop();
    void message.info(t('part.discarded'));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (edit) void save();
  };
  return (
    <FormContext value={form}>
      <LeaveGuard />
      <form className="part" noValidate onSubmit={submit}>
        {stale && (
          <div className="note stale" role="status">
            <InfoCircleOutlined aria-hidden />
            <div>
              <strong>{t('part.changed')}</strong>
              <div>{t('part.changed_why')}</div>
            </div>
            <Button onClick={drop}>{t('part.load')}</Button>
          </div>
        )}
        {problem && <ProblemAlert error={problem} />}
        {children}
        {edit && (
          <div className="form-bar" role="group" aria-label={t('part.unsaved')}>
            <span className="form-bar-text soft" role="status">
              {t('part.unsaved')}
            </span>
            <Button onClick={discard} disabled={busy}>
              {t('part.discard')}
            </Button>
            <Button type="primary" htmlType="submit" loading={busy}>
              {t('common:action.save')}
            </Button>
          </div>
        )}
      </form>
    </FormContext>
  );
}

/** A row that was added and is still empty is something typed, too. */
function sameRows(a: Draft, b: Draft): boolean {
  return a.config.length === b.config.length && a.data_sources.length === b.data_sources.length && a.id === b.id;
}
