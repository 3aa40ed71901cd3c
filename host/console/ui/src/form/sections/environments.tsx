// Where an app runs: chosen by Lodge, or by name; nothing to choose where there is one place only.
import { WarningFilled } from '@ant-design/icons';
import { Checkbox, Switch, Tag } from 'antd';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { isAlone, isThisProcess, useEnvironments } from '../../api/environments';
import type { EnvironmentInfo, Placement } from '../../api/schema';
import { useFormats } from '../../format';
import { Choice } from '../choice';
import { useFormContext } from '../context';
import { Field, FieldError } from '../field';
import { localData } from '../logic/check';
import { hindranceOf } from '../logic/places';
import { useKnown } from '../use-known';

export function EnvironmentFields() {
  const { t } = useTranslation('form');
  const { draft, errorOf } = useFormContext();
  const { data } = useEnvironments();
  if (!data) return null;
  const [only] = data;
  const fits = only && draft.environments.every((name) => name === only.name);
  if (only && isAlone(data) && fits && !errorOf('environments')) {
    return (
      <div className="field" data-path="environments">
        <div className="field-label">{t('environments.label')}</div>
        <Tag className="fixed-choice">{only.name}</Tag>
        <div className="field-help">{t('environments.only')}</div>
      </div>
    );
  }
  return (
    <>
      <PlacementField all={data} />
      {draft.placement === 'named' && <EnvironmentList all={data} />}
      <FailoverField />
    </>
  );
}

function PlacementField({ all }: { all: EnvironmentInfo[] }) {
  const { t } = useTranslation('form');
  const { list } = useFormats();
  const { draft, change, app } = useFormContext();
  const choose = (placement: Placement) => {
    // What it has is where one begins to choose.
    const there = app?.environments.filter((name) => all.some((one) => one.name === name)) ?? [];
    change({ placement, environments: placement === 'named' ? there : [] });
  };
  // A host that runs apps itself, beside workers, takes those for which nothing was chosen.
  const here = all.some(isThisProcess);
  const now = app?.placement === 'automatic' && app.environments.length > 0 ? ` ${t('environments.now', { names: list(app.environments) })}` : '';
  return (
    <Choice<Placement>
      path="placement"
      label={t('environments.which')}
      value={draft.placement}
      onChange={choose}
      options={(['automatic', 'named'] as const).map((value) => ({
        value,
        label: t(`environments.${value}`),
        help: value === 'automatic' && here ? t('environments.automatic_here') : t(`environments.${value}_help`) + (value === 'automatic' ? now : ''),
      }))}
    />
  );
}

function EnvironmentList({ all }: { all: EnvironmentInfo[] }) {
  const { t } = useTranslation('form');
  const { draft, change, errorOf, app } = useFormContext();
  const id = useId();
  // Some may be gone that the app is still placed in.
  const gone = draft.environments.filter((name) => !all.some((one) => one.name === name));
  const toggle = (name: string, on: boolean) => {
    const others = draft.environments.filter((one) => one !== name);
    change({ environments: on ? [...others, name] : others });
  };
  const option = (name: string, one?: EnvironmentInfo) => {
    const chosen = draft.environments.includes(name);
    const hindrance = hindranceOf(one);
    // One that takes no further apps keeps those it has.
    const barred = !!hindrance?.barred && !chosen && !app?.environments.includes(name);
    return (
      <Checkbox key={name} className="choice" checked={chosen} disabled={barred} onChange={(event) => toggle(name, event.target.checked)}>
        <span className="choice-label">
          <bdi>{name}</bdi>
        </span>
        <span className="choice-help">
          {hindrance ? (
            <>
              {!hindrance.barred && <WarningFilled className="warn" aria-hidden />} {t(`environments.${hindrance.why}`)}
            </>
          ) : (
            one && <Load environment={one} />
          )}
        </span>
      </Checkbox>
    );
  };
  return (
    <div className="field" data-path="environments" role="group" aria-labelledby={id} aria-describedby={`${id}-help`}>
      <div className="field-label" id={id}>
        {t('environments.label')}
      </div>
      <div className="choices">
        {all.map((one) => option(one.name, one))}
        {gone.map((name) => option(name))}
      </div>
      <div className="field-help" id={`${id}-help`}>
        {t('environments.several')}
      </div>
      <FieldError text={errorOf('environments')} />
    </div>
  );
}

function Load({ environment: one }: { environment: EnvironmentInfo }) {
  const { t } = useTranslation('form');
  const { number, percent } = useFormats();
  const share = (used: number, whole: number) => percent(whole > 0 ? used / whole : 0, 0);
  const cpu = share(one.cpu_load, one.cpu_cores);
  const memory = share(one.process_memory_bytes, one.memory_total_bytes);
  return t('environments.load', { apps: number(one.apps), cpu, memory });
}

function FailoverField() {
  const { t } = useTranslation('form');
  const { draft, change } = useFormContext();
  const local = localData(draft, useKnown(draft.component));
  const help = local === null ? 'help' : local === 'keyvalue' ? 'keyvalue' : 'local';
  return (
    <Field path="failover" label={t('failover.label')} help={t(`failover.${help}`)} className="switch-field">
      {({ id, 'aria-describedby': describedBy }) => (
        <Switch
          id={id}
          aria-describedby={describedBy}
          checked={draft.failover}
          disabled={local !== null && !draft.failover}
          onChange={(failover) => change({ failover })}
        />
      )}
    </Field>
  );
}
