import { Alert, Select, Switch } from 'antd';
import { useTranslation } from 'react-i18next';
import type { JwtAlgorithm } from '../../api/schema';
import { Choice } from '../choice';
import { useFormContext } from '../context';
import { Field } from '../field';

const ALGORITHMS: JwtAlgorithm[] = ['HS256', 'EdDSA', 'RS256'];

export function TokenFields() {
  const { t } = useTranslation('form');
  const { draft, change } = useFormContext();
  const { independent, algorithm } = draft.jwt;
  const choose = (kind: 'own' | 'shared') =>
    change({ jwt: kind === 'own' ? { independent: true, algorithm } : { independent: false, algorithm: 'HS256' } });
  return (
    <>
      <Choice<'own' | 'shared'>
        path="jwt.independent"
        label={t('jwt.label')}
        value={independent ? 'own' : 'shared'}
        onChange={choose}
        options={(['own', 'shared'] as const).map((value) => ({ value, label: t(`jwt.${value}`), help: t(`jwt.${value}_help`) }))}
      />
      {independent ? (
        <Field path="jwt.algorithm" label={t('jwt.algorithm')} help={t(`jwt.${algorithm}`)}>
          {(input) => (
            <Select<JwtAlgorithm>
              {...input}
              className="short"
              value={algorithm}
              onChange={(next) => change({ jwt: { independent, algorithm: next } })}
              options={ALGORITHMS.map((value) => ({ value, label: value }))}
            />
          )}
        </Field>
      ) : (
        <Alert type="warning" showIcon title={t('jwt.risk')} description={t('jwt.risk_why')} />
      )}
    </>
  );
}

export function UpgradeField() {
  const { t } = useTranslation('form');
  const { draft, change } = useFormContext();
  return (
    <Field path="auto_upgrade" label={t('upgrade.label')} help={t('upgrade.help')} className="switch-field">
      {({ id, 'aria-describedby': describedBy }) => (
        <Switch id={id} aria-describedby={describedBy} checked={draft.auto_upgrade} onChange={(auto_upgrade) => change({ auto_upgrade })} />
      )}
    </Field>
  );
}
