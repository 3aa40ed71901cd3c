import { Button, InputNumber } from 'antd';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { FieldError } from '../../form/field';
import { AmountInput } from '../../form/inputs/amount-input';
import { LIMIT_GROUPS, type LimitName, LIMITS, type LimitValues, STANDARD } from '../../form/logic/limits';
import { useLimitText } from '../../form/rule-text';
import { Section } from './section';

interface Props {
  limits: LimitValues;
  onChange: (limits: LimitValues) => void;
  /** What is wrong with a limit. */
  errorOf: (name: LimitName) => string | undefined;
}

/** What new apps get that ask for nothing; an empty field stands for what is built in. */
export function DefaultLimits({ limits, onChange, errorOf }: Props) {
  const { t } = useTranslation('settings');
  return (
    <Section title={t('limits.title')} about={t('limits.about')}>
      {LIMIT_GROUPS.map(([group, names]) => (
        <fieldset key={group} className="limit-group">
          <legend>{t(`form:limits.group.${group}`)}</legend>
          <div className="limit-fields">
            {names.map((name) => (
              <LimitField key={name} name={name} value={limits[name]} error={errorOf(name)} onChange={(value) => onChange({ ...limits, [name]: value })} />
            ))}
          </div>
        </fieldset>
      ))}
    </Section>
  );
}

interface FieldProps {
  name: LimitName;
  value: number | null;
  error: string | undefined;
  onChange: (value: number | null) => void;
}

function LimitField({ name, value, error, onChange }: FieldProps) {
  const { t } = useTranslation('settings');
  const { t: words } = useTranslation('form');
  const text = useLimitText(words);
  const id = useId();
  const { unit, min } = LIMITS[name];
  const label = words(`limit.${name}.label`);
  const builtIn = text(name, STANDARD[name]);
  const input = {
    id,
    'aria-describedby': error ? `${id}-help ${id}-error` : `${id}-help`,
    'aria-invalid': error ? true : undefined,
    status: error ? ('error' as const) : undefined,
    placeholder: builtIn,
  };
  const amount = unit === 'bytes' || unit === 'bytes_per_second' || unit === 'ms';
  return (
    <div className="field" data-path={`default_limits.${name}`}>
      <label htmlFor={id} className="field-label">
        {label}
      </label>
      {amount ? (
        <AmountInput input={input} scale={unit === 'ms' ? 'ms' : 'bytes'} value={value} onChange={onChange} label={label} />
      ) : (
        <InputNumber {...input} className="wide" controls={false} min={unit === 'cores' ? 0 : min} precision={unit === 'cores' ? 2 : 0} value={value} onChange={onChange} />
      )}
      <div id={`${id}-help`} className="field-help">
        {words(`limit.${name}.help`)}
      </div>
      {value !== null && (
        <Button type="link" className="inline-link" onClick={() => onChange(null)} aria-label={t('limits.use_built_in_for', { value: builtIn, limit: label })}>
          {t('limits.use_built_in', { value: builtIn })}
        </Button>
      )}
      <FieldError id={`${id}-error`} text={error} />
    </div>
  );
}
