import { CheckCircleFilled, ClockCircleOutlined, CloseCircleFilled, LoadingOutlined } from '@ant-design/icons';
import { Select } from 'antd';
import type { TFunction } from 'i18next';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useComponents } from '../../api/components';
import type { Component, ComponentStatus } from '../../api/schema';
import { ProblemAlert } from '../../components/problem';
import { useFormats } from '../../format';
import { useFormContext } from '../context';
import { Field } from '../field';
import { DropWasm } from './drop-wasm';

const ICON: Record<ComponentStatus, ReactNode> = {
  queued: <ClockCircleOutlined aria-hidden />,
  compiling: <LoadingOutlined aria-hidden />,
  ready: <CheckCircleFilled className="good" aria-hidden />,
  failed: <CloseCircleFilled className="wrong" aria-hidden />,
};

export function CompileStatus({ component }: { component: Component }) {
  const { t } = useTranslation('form');
  return (
    <span className="compile-status" data-status={component.status}>
      {ICON[component.status]} {t(`component.${component.status}`)}
    </span>
  );
}

/** The component: one of the library, or a file. */
export function ComponentField() {
  const { t } = useTranslation('form');
  const { draft, change, app } = useFormContext();
  const library = useComponents();
  const all = library.data ?? [];
  const chosen = all.find((one) => one.digest === draft.component);
  const choose = (digest: string | null) => change({ component: digest });
  if (library.error && !library.data) return <ProblemAlert error={library.error} onRetry={() => void library.refetch()} />;
  return (
    <>
      <Field path="component" label={t('component.label')} help={all.length > 0 || library.isPending ? undefined : t('component.none')} required>
        {(input) => (
          <Select<string | null, Option>
            {...input}
            className="wide"
            value={draft.component}
            onChange={choose}
            loading={library.isPending}
            showSearch={{ filterOption: (text, found) => String(found?.search ?? '').includes(text.toLowerCase()) }}
            placeholder={t('component.choose')}
            notFoundContent={t('component.not_found')}
            options={app ? groups(all, app.component.name, t) : all.map(option)}
            optionRender={({ value }) => <ComponentOption component={all.find((one) => one.digest === value)} current={app?.component.digest === value} />}
          />
        )}
      </Field>
      {chosen && chosen.status !== 'ready' && <Compiling component={chosen} />}
      <DropWasm onDone={(component) => choose(component.digest)} />
    </>
  );
}

interface Option {
  value?: string;
  label: string;
  /** What is searched in. */
  search: string;
  disabled?: boolean;
  options?: Option[];
}

function option({ digest, name, version, status }: Component): Option {
  return { value: digest, label: `${name} ${version}`, search: `${name} ${version} ${digest}`.toLowerCase(), disabled: status === 'failed' };
}

/** The other versions of what the app runs come first. */
function groups(all: Component[], name: string, t: TFunction<'form'>): Option[] {
  const [same, others] = [all.filter((one) => one.name === name), all.filter((one) => one.name !== name)];
  const group = (label: string, some: Component[]) => ({ label, search: '', options: some.map(option) });
  return [group(t('component.versions', { name }), same), group(t('component.others'), others)].filter((one) => one.options.length > 0);
}

function ComponentOption({ component, current }: { component?: Component; current: boolean }) {
  const { t } = useTranslation('form');
  const { bytes } = useFormats();
  if (!component) return null;
  return (
    <span className="component-option">
      <span className="component-name">
        <strong>{component.name}</strong> <span className="soft">{component.version}</span>
        {current && <span className="soft"> · {t('component.current')}</span>}
      </span>
      <span className="component-size">{bytes(component.size)}</span>
      <CompileStatus component={component} />
    </span>
  );
}

/** Tells how far the compile is, as it goes on. */
function Compiling({ component }: { component: Component }) {
  const { t } = useTranslation('form');
  return (
    <div className={`note ${component.status === 'failed' ? 'bad' : ''}`} role="status">
      <CompileStatus component={component} />
      <span>{component.status === 'failed' ? (component.error ?? t('component.failed_why')) : t('component.compiling_why')}</span>
    </div>
  );
}
