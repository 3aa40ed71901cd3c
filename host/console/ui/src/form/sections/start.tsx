import { Select, Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import { useEnvironments } from '../../api/environments';
import type { StartMode } from '../../api/schema';
import { Choice } from '../choice';
import { useFormContext } from '../context';
import { Field } from '../field';

export function StartFields() {
  const { t } = useTranslation('form');
  const { draft, change } = useFormContext();
  return (
    <>
      <Choice<StartMode>
        path="start_mode"
        label={t('start.label')}
        value={draft.start_mode}
        onChange={(start_mode) => change({ start_mode })}
        options={(['on_first_visit', 'with_host'] as const).map((value) => ({
          value,
          label: t(`start.${value}`),
          help: t(`start.${value}_help`),
        }))}
      />
      <EnvironmentField />
    </>
  );
}

function EnvironmentField() {
  const { t } = useTranslation('form');
  const { draft, change, errorOf } = useFormContext();
  const { data } = useEnvironments();
  const names = data?.map((one) => one.name) ?? draft.environments;
  const only = names.length === 1 && draft.environments.length === 1 && names[0] === draft.environments[0];
  if (only && !errorOf('environments')) {
    return (
      <div className="field" data-path="environments">
        <div className="field-label">{t('environments.label')}</div>
        <Tag className="fixed-choice">{names[0]}</Tag>
        <div className="field-help">{t('environments.only')}</div>
      </div>
    );
  }
  return (
    <Field path="environments" label={t('environments.label')} help={t('environments.help')}>
      {(input) => (
        <Select
          {...input}
          mode="multiple"
          className="wide"
          value={draft.environments}
          onChange={(environments) => change({ environments })}
          options={names.map((value) => ({ value, label: value }))}
        />
      )}
    </Field>
  );
}
