import { useTranslation } from 'react-i18next';
import type { StartMode } from '../../api/schema';
import { Choice } from '../choice';
import { useFormContext } from '../context';
import { EnvironmentFields } from './environments';

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
      <EnvironmentFields />
    </>
  );
}
