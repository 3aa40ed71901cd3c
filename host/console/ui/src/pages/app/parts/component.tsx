import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useComponents } from '../../../api/components';
import type { AppAnswer, Component } from '../../../api/schema';
import { Copyable } from '../../../components/copy';
import { CapabilityList } from '../../../components/capabilities';
import { Time } from '../../../components/time';
import { useFormContext } from '../../../form/context';
import { Part } from '../../../form/part';
import { Section } from '../../../form/section';
import { CompileStatus, ComponentField } from '../../../form/sections/component';
import { UpgradeField } from '../../../form/sections/tokens';
import { useFormats } from '../../../format';
import './component.css';

const FIELDS = ['component', 'auto_upgrade'] as const;

/** What the app runs, and running something else. */
export function ComponentPart({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('form');
  const library = useComponents();
  const component = library.data?.find((one) => one.digest === app.component.digest);
  return (
    <Part app={app} fields={FIELDS}>
      <section className="form-section" aria-label={t('current.title')}>
        <h2>{t('current.title')}</h2>
        <Current app={app} component={component} />
      </section>
      <Section id="change">
        <ComponentField />
        <Consequence app={app} />
      </Section>
      <Section id="upgrade">
        <UpgradeField />
      </Section>
    </Part>
  );
}

function Current({ app, component }: { app: AppAnswer; component?: Component }) {
  const { t } = useTranslation('form');
  const { bytes } = useFormats();
  const { digest, name, version } = app.component;
  return (
    <dl className="facts">
      <dt>{t('current.name')}</dt>
      <dd>
        <Link to={`/components/${digest}`}>{name}</Link>
      </dd>
      <dt>{t('current.version')}</dt>
      <dd>
        <span dir="ltr">{version}</span>
      </dd>
      <dt>{t('current.digest')}</dt>
      <dd>
        <Copyable text={digest} shown={`${digest.slice(0, 12)}…`} />
      </dd>
      {component && (
        <>
          <dt>{t('current.status')}</dt>
          <dd>
            <CompileStatus component={component} />
            {component.error && <div className="field-error">{component.error}</div>}
          </dd>
          <dt>{t('current.world')}</dt>
          <dd>
            <code dir="ltr">{component.world}</code>
          </dd>
          <dt>{t('current.size')}</dt>
          <dd>{bytes(component.size)}</dd>
          <dt>{t('current.uploaded')}</dt>
          <dd>
            <Time ms={component.created_at} />
          </dd>
          <dt>{t('current.can')}</dt>
          <dd>
            <CapabilityList interfaces={[...component.imports, ...component.exports]} />
          </dd>
        </>
      )}
    </dl>
  );
}

/** What saving another component does to the app. */
function Consequence({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('form');
  const { draft } = useFormContext();
  if (draft.component === app.component.digest) return null;
  const runs = app.observed?.some((one) => one.status === 'running' || one.status === 'starting');
  return (
    <p className="note consequence" role="status">
      {t(runs ? 'current.replaces' : 'current.next_start')}
    </p>
  );
}
