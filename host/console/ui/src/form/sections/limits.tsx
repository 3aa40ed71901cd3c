import { InputNumber, Segmented } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormContext } from '../context';
import { Field, goTo } from '../field';
import { AmountInput } from '../inputs/amount-input';
import { isOptional, LIMIT_GROUPS, type LimitName, LIMITS, type Preset, presetOf, presetValues } from '../logic/limits';
import { useLimitText } from '../rule-text';

export function LimitFields() {
  const { t } = useTranslation('form');
  const { draft, change, standard } = useFormContext();
  const [custom, setCustom] = useState(false);
  const found = presetOf(draft.limits, standard);
  const shown = custom ? 'custom' : found;
  const choose = (next: Preset | 'custom') => {
    setCustom(next === 'custom');
    if (next === 'custom') goTo('limits.memory_bytes');
    else change({ limits: presetValues(next, standard) });
  };
  return (
    <>
      <div className="field">
        <div className="field-label" id="limit-preset">
          {t('limits.preset')}
        </div>
        <Segmented<Preset | 'custom'>
          aria-labelledby="limit-preset"
          className="presets"
          value={shown}
          onChange={choose}
          options={(['small', 'standard', 'large', 'custom'] as const).map((value) => ({ value, label: t(`limits.${value}`) }))}
        />
        <div className="field-help">{t(`limits.${shown}_help`)}</div>
      </div>
      {LIMIT_GROUPS.map(([group, names]) => (
        <fieldset className="limit-group" key={group}>
          <legend>{t(`limits.group.${group}`)}</legend>
          <div className="limit-fields">
            {names.map((name) => (
              <LimitField key={name} name={name} />
            ))}
          </div>
        </fieldset>
      ))}
    </>
  );
}

function LimitField({ name }: { name: LimitName }) {
  const { t } = useTranslation('form');
  const { draft, change, standard } = useFormContext();
  const words = useLimitText(t);
  const { unit, min } = LIMITS[name];
  const value = draft.limits[name];
  const set = (next: number | null) => change({ limits: { ...draft.limits, [name]: next } });
  const label = t(`limit.${name}.label`);
  const help = (
    <>
      {t(`limit.${name}.help`)} <span className="limit-default">{t('limits.default', { value: words(name, standard[name]) })}</span>
    </>
  );
  return (
    <Field path={`limits.${name}`} label={label} help={help}>
      {(input) =>
        unit === 'bytes' || unit === 'bytes_per_second' || unit === 'ms' ? (
          <AmountInput input={input} scale={unit === 'ms' ? 'ms' : 'bytes'} value={value} onChange={set} label={label} />
        ) : (
          <InputNumber
            {...input}
            className="wide"
            controls={false}
            min={unit === 'cores' ? 0 : min}
            precision={unit === 'cores' ? undefined : 0}
            value={value}
            placeholder={isOptional(name) ? t(`limit.${name}.none`) : undefined}
            suffix={unit === 'weight' ? undefined : t(`limit.${name}.unit`)}
            onChange={set}
          />
        )
      }
    </Field>
  );
}
