import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { findIdProblem } from '../api/form';
import { ProblemError } from '../api/problem';
import { checkId } from './logic/rules';

export interface IdCheck {
  state: 'none' | 'checking' | 'free' | 'taken';
  error?: string;
}

/** Asks the host whether an ID can be had, once one has stopped typing. */
export function useIdCheck(id: string, component: string | null): IdCheck {
  const { t } = useTranslation('form');
  const [answer, setAnswer] = useState<IdCheck & { id: string }>({ id: '', state: 'none' });
  const worth = id !== '' && checkId(id) === null;
  useEffect(() => {
    if (!worth) return;
    let stale = false;
    const ask = async () => {
      const found = await findIdProblem(id, component).catch(() => undefined);
      if (stale) return;
      // A host that does not answer now will say so when the app is made.
      if (found === undefined) setAnswer({ id, state: 'none' });
      else if (found === null) setAnswer({ id, state: 'free' });
      else setAnswer({ id, state: 'taken', error: found instanceof ProblemError ? found.message : t('rule.id_taken', { name: found.display_name }) });
    };
    const timer = setTimeout(() => void ask(), 350);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [id, component, worth, t]);
  if (!worth) return { state: 'none' };
  return answer.id === id ? answer : { state: 'checking' };
}
