import { Radio } from 'antd';
import { useFormContext } from './context';
import { FieldError } from './field';
import { useId } from 'react';

export interface Option<T extends string> {
  value: T;
  label: string;
  help: string;
  /** Why it cannot be chosen. */
  why?: string;
}

interface Props<T extends string> {
  path: string;
  label: string;
  value: T;
  options: Option<T>[];
  onChange: (value: T) => void;
}

/** One of a few, each with what it means. */
export function Choice<T extends string>({ path, label, value, options, onChange }: Props<T>) {
  const { errorOf } = useFormContext();
  const id = useId();
  return (
    <div className="field" data-path={path} role="radiogroup" aria-labelledby={id}>
      <div className="field-label" id={id}>
        {label}
      </div>
      <div className="choices">
        {options.map((option) => (
          <Radio
            key={option.value}
            name={id}
            className="choice"
            checked={value === option.value}
            disabled={!!option.why}
            onChange={() => onChange(option.value)}
          >
            <span className="choice-label">{option.label}</span>
            <span className="choice-help">{option.why ?? option.help}</span>
          </Radio>
        ))}
      </div>
      <FieldError text={errorOf(path)} />
    </div>
  );
}
