import { CheckCircleFilled, ClockCircleOutlined, CloseCircleFilled, LoadingOutlined } from '@ant-design/icons';
import { Select } from 'antd';
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
  const { bytes } = useFormats();
  const { draft, change } = useFormContext();
  const library = useComponents();
  const all = library.data ?? [];
  const chosen = all.find((one) => one.digest === draft.component);
  const choose = (digest: string | null) => change({ component: digest });
  if (library.error && !library.data) return <ProblemAlert error={library.error} onRetry={() => void library.refetch()} />;
  return (
    <>
      <Field path="component" label={t('component.label')} help={all.length > 0 || library.isPending ? undefined : t('component.none')} required>
        {(input) => (
          <Select
            {...input}
            className="wide"
            value={draft.component}
            onChange={choose}
            loading={library.isPending}
            showSearch={{ filterOption: (text, option) => (option?.search ?? '').includes(text.toLowerCase()) }}
            placeholder={t('component.choose')}
            notFoundContent={t('component.not_found')}
            options={all.map((one) => ({
              value: one.digest,
              label: `${one.name} ${one.version}`,
              search: `${one.name} ${one.version} ${one.digest}`.toLowerCase(),
              disabled: one.status === 'failed' && one.digest !== draft.component,
              component: one,
            }))}
            optionRender={({ data }) => (
              <span className="component-option">
                <span className="component-name">
                  <strong>{data.component.name}</strong> <span className="soft">{data.component.version}</span>
                </span>
                <span className="component-size">{bytes(data.component.size)}</span>
                <CompileStatus component={data.component} />
              </span>
            )}
          />
        )}
      </Field>
      {chosen && chosen.status !== 'ready' && <Compiling component={chosen} />}
      <DropWasm onDone={(component) => choose(component.digest)} />
    </>
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
