// A form's state, for all its sections: what is typed, which rules it breaks, what the host refused.
import { createContext, useCallback, useContext, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ProblemError } from '../api/problem';
import type { AppAnswer } from '../api/schema';
import { checkDraft } from './logic/check';
import type { Draft, DraftField } from './logic/draft';
import type { LimitValues } from './logic/limits';
import { fieldOf, pathOf } from './logic/problems';
import { useRuleText } from './rule-text';
import { useKnown } from './use-known';

export interface FormValue {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  /** What is wrong with a field, for people. */
  errorOf: (path: string) => string | undefined;
  /** Everything that is wrong and shown, by path. */
  errors: Record<string, string>;
  /** The field was left: rules that would nag while one types hold from then on. */
  touch: (path: string) => void;
  /** The app that is changed; null: it is a new one. */
  app: AppAnswer | null;
  /** The limits that a new app gets. */
  standard: LimitValues;
}

export const FormContext = createContext<FormValue | null>(null);

export function useFormContext(): FormValue {
  const form = useContext(FormContext);
  if (!form) throw new Error('a section stands outside a form');
  return form;
}

/** Told only once one has tried to save. */
const WHEN_SAVING = new Set(['name_empty', 'component_empty', 'key_empty', 'url_empty', 'source_app', 'value_again', 'environments_empty']);
/** Told once the field was left. */
const WHEN_LEFT = new Set(['url_scheme', 'source_name']);

interface Options {
  draft: Draft;
  onChange: (draft: Draft) => void;
  fields?: readonly DraftField[];
  app: AppAnswer | null;
  standard: LimitValues;
  /** Errors that come from elsewhere, such as the check of the ID by the host. */
  further?: Record<string, string>;
}

export interface FormHandle extends FormValue {
  /** The first path that is wrong, after which all errors are shown; null: the form may be sent. */
  firstWrong: () => string | null;
  /** Shows a refusal beside its field; null if it belongs to none. */
  refuse: (problem: ProblemError) => string | null;
  reset: () => void;
}

export function useFormState({ draft, onChange, fields, app, standard, further }: Options): FormHandle {
  const { t } = useTranslation('form');
  const ruleText = useRuleText(t);
  const [tried, setTried] = useState(false);
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [refused, setRefused] = useState<Record<string, string>>({});
  const known = useKnown(draft.component);
  const broken = useMemo(() => checkDraft(draft, fields, known), [draft, fields, known]);
  const errors = useMemo(() => {
    const shown: Record<string, string> = { ...further, ...refused };
    for (const [path, one] of Object.entries(broken)) {
      const late = WHEN_SAVING.has(one.rule) || (WHEN_LEFT.has(one.rule) && !touched.has(path));
      if (tried || !late) shown[path] = ruleText(one);
    }
    return shown;
  }, [broken, refused, further, tried, touched, ruleText]);
  const change = useCallback(
    (part: Partial<Draft>) => {
      // What the host said holds for what it was sent.
      setRefused((old) => Object.fromEntries(Object.entries(old).filter(([path]) => !(fieldOf(path) in part))));
      onChange({ ...draft, ...part });
    },
    [draft, onChange],
  );
  const touch = useCallback((path: string) => setTouched((old) => (old.has(path) ? old : new Set(old).add(path))), []);
  return {
    draft,
    change,
    errors,
    errorOf: (path) => errors[path],
    touch,
    app,
    standard,
    firstWrong: () => {
      setTried(true);
      return Object.keys(broken)[0] ?? Object.keys(further ?? {})[0] ?? null;
    },
    refuse: (problem) => {
      const path = pathOf(problem, draft);
      if (path) setRefused((old) => ({ ...old, [path]: problem.message }));
      return path;
    },
    reset: () => {
      setTried(false);
      setTouched(new Set());
      setRefused({});
    },
  };
}
