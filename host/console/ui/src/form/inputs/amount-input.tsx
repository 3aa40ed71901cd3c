import { InputNumber, Select, Space } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { InputProps } from '../field';
import { fromUnit, type Scale, toUnit, unitFor, unitsOf } from '../logic/units';

interface Props {
  input: InputProps;
  scale: Scale;
  value: number | null;
  onChange: (value: number | null) => void;
  /** What the unit's choice is called to a screen reader. */
  label: string;
}

/** An amount and its unit: 128 MiB. The value outside is in bytes or milliseconds. */
export function AmountInput({ input, scale, value, onChange, label }: Props) {
  const { t } = useTranslation('form');
  const fitting = unitFor(value ?? 0, scale);
  const [name, setName] = useState(fitting.name);
  const [typed, setTyped] = useState(value);
  const chosen = unitsOf(scale).find((one) => one.name === name) ?? fitting;
  // A value from elsewhere, such as a preset, is shown in the unit that fits it; what is typed keeps its unit.
  const unit = typed === value ? chosen : fitting;
  const set = (next: number | null) => {
    setName(unit.name);
    setTyped(next);
    onChange(next);
  };
  const choose = (next: string) => {
    const one = unitsOf(scale).find((other) => other.name === next) ?? unit;
    const same = fromUnit(toUnit(value, unit), one);
    setName(next);
    setTyped(same);
    onChange(same);
  };
  return (
    <Space.Compact block className="amount">
      <InputNumber {...input} className="amount-number" min={0} value={toUnit(value, unit)} onChange={(amount) => set(fromUnit(amount, unit))} controls={false} />
      <Select
        className="amount-unit"
        aria-label={t('unit.of', { label })}
        value={unit.name}
        onChange={choose}
        options={unitsOf(scale).map((one) => ({ value: one.name, label: t(`unit.${one.name}`) }))}
      />
    </Space.Compact>
  );
}
