import { CloseCircleFilled } from '@ant-design/icons';
import { type ReactNode, useId } from 'react';
import { useFormContext } from './context';

export interface InputProps {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: boolean;
  'aria-required'?: boolean;
  status?: 'error';
}

interface Props {
  /** Where in the form it is: `limits.memory_bytes`. Errors are found by it, and focus too. */
  path: string;
  label: ReactNode;
  /** The label is for screen readers only: a table's head says it already. */
  quiet?: boolean;
  help?: ReactNode;
  required?: boolean;
  className?: string;
  children: (input: InputProps) => ReactNode;
}

/** A label, an input, what it means, and what is wrong with it. */
export function Field({ path, label, quiet, help, required, className, children }: Props) {
  const { errorOf, touch } = useFormContext();
  const id = useId();
  const error = errorOf(path);
  const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ');
  const input: InputProps = {
    id,
    'aria-describedby': described || undefined,
    'aria-invalid': error ? true : undefined,
    'aria-required': required || undefined,
    status: error ? 'error' : undefined,
  };
  return (
    <div className={`field ${className ?? ''}`} data-path={path} onBlur={() => touch(path)}>
      <label htmlFor={id} className={quiet ? 'unseen' : 'field-label'}>
        {label}
      </label>
      {children(input)}
      {help && (
        <div id={`${id}-help`} className="field-help">
          {help}
        </div>
      )}
      <FieldError id={`${id}-error`} text={error} />
    </div>
  );
}

export function FieldError({ id, text }: { id?: string; text?: string }) {
  return (
    <div id={id} className="field-error" role="alert">
      {text && (
        <>
          <CloseCircleFilled aria-hidden /> {text}
        </>
      )}
    </div>
  );
}

/** Brings the field, or the nearest thing around it, into view and puts the cursor there. */
export function goTo(path: string) {
  const candidates = [path, path.replace(/(\]).*$/, '$1'), path.replace(/[[.].*$/, '')];
  const found = candidates.map((one) => document.querySelector<HTMLElement>(`[data-path="${CSS.escape(one)}"]`)).find(Boolean);
  if (!found) return;
  found.scrollIntoView({ block: 'center' });
  found.querySelector<HTMLElement>('input:not([disabled]), textarea, select, button')?.focus({ preventScroll: true });
}
