// Adding an app: a name and a component are enough; everything else has a default and can be set here.
import { App, Button } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useHostSettings } from '../../api/form';
import { PageHeader } from '../../components/page-header';
import { ProblemAlert } from '../../components/problem';
import { type SectionId, SECTION_IDS, sectionOf, useBriefs } from '../../form/catalog';
import { FormContext, useFormState } from '../../form/context';
import { goTo } from '../../form/field';
import { LeaveGuard, useUnsaved } from '../../form/leave';
import { type Draft, emptyDraft } from '../../form/logic/draft';
import { forgetDraft, keepDraft, keptDraft } from '../../form/logic/keep';
import { limitValues, STANDARD } from '../../form/logic/limits';
import { Section } from '../../form/section';
import { ComponentField } from '../../form/sections/component';
import { ConfigFields } from '../../form/sections/config';
import { DatabaseFields } from '../../form/sections/database';
import { IdField, NameField } from '../../form/sections/general';
import { LimitFields } from '../../form/sections/limits';
import { DomainField, HostField, PathAccessField, TagField } from '../../form/sections/network';
import { SourceFields } from '../../form/sections/sources';
import { StartFields } from '../../form/sections/start';
import { TokenFields, UpgradeField } from '../../form/sections/tokens';
import { useIdCheck } from '../../form/use-id-check';
import './new-app.css';
import { Summary } from './summary';
import { useCreate } from './use-create';

const OPEN_AT_FIRST: SectionId[] = ['general', 'component', 'start', 'database'];

export function NewAppPage() {
  const settings = useHostSettings();
  const standard = useMemo(() => (settings.data ? limitValues(settings.data.limits) : STANDARD), [settings.data]);
  // The defaults are those of the form when it opens: what is typed is not to change under one's hands.
  if (settings.isPending) return <NewAppTitle />;
  return <NewApp standard={standard} />;
}

function NewAppTitle() {
  const { t } = useTranslation('form');
  return <PageHeader title={t('new.title')} about={t('new.about')} />;
}

function NewApp({ standard: latest }: { standard: typeof STANDARD }) {
  const { t } = useTranslation('form');
  const { message } = App.useApp();
  const [standard] = useState(latest);
  const empty = useMemo(() => emptyDraft(standard), [standard]);
  const [kept] = useState(() => keptDraft(empty));
  const [restored, setRestored] = useState(kept !== null);
  const [draft, setDraft] = useState<Draft>(kept ?? empty);
  const [open, setOpen] = useState<ReadonlySet<SectionId>>(new Set(OPEN_AT_FIRST));
  const dirty = JSON.stringify(draft) !== JSON.stringify(empty);
  const idCheck = useIdCheck(draft.id, draft.component);
  const further = useMemo((): Record<string, string> | undefined => (idCheck.error ? { id: idCheck.error } : undefined), [idCheck.error]);
  const form = useFormState({ draft, onChange: setDraft, app: null, standard, further });
  const briefs = useBriefs(draft, standard);
  useUnsaved(dirty);
  useEffect(() => {
    if (!dirty) return forgetDraft();
    const timer = setTimeout(() => keepDraft(draft), 300);
    return () => clearTimeout(timer);
  }, [draft, dirty]);

  const unfold = (id: SectionId, to = true) => setOpen((old) => new Set(to ? [...old, id] : [...old].filter((one) => one !== id)));
  const show = (path: string) => {
    const section = sectionOf(path);
    if (section) unfold(section);
    // Once the section is unfolded and the error stands there.
    setTimeout(() => goTo(path), 60);
  };
  const { create, busy, problem } = useCreate({ draft, standard, form, show });
  const startOver = () => {
    forgetDraft();
    setDraft(empty);
    form.reset();
    setRestored(false);
    void message.info(t('new.started_over'));
  };
  const wrong = new Set(Object.keys(form.errors).map(sectionOf));
  const section = (id: SectionId, fields: React.ReactNode) => {
    const foldable = !OPEN_AT_FIRST.includes(id);
    return (
      <Section id={id} brief={briefs[id]} open={!foldable || open.has(id)} onToggle={foldable ? () => unfold(id, !open.has(id)) : undefined} wrong={wrong.has(id)}>
        {fields}
      </Section>
    );
  };
  return (
    <FormContext value={form}>
      <LeaveGuard onLeave={forgetDraft} />
      <NewAppTitle />
      <div className="new-app">
        <form
          className="new-app-form"
          noValidate
          aria-label={t('new.title')}
          onSubmit={(event) => {
            event.preventDefault();
            void create(true);
          }}
        >
          {restored && dirty && (
            <div className="note restored" role="status">
              <span>{t('new.restored')}</span>
              <Button size="small" onClick={startOver}>
                {t('new.start_over')}
              </Button>
            </div>
          )}
          {problem && <ProblemAlert error={problem} />}
          {section('general', <><NameField /><IdField check={idCheck} /></>)}
          {section('component', <ComponentField />)}
          {section('start', <StartFields />)}
          {section('database', <DatabaseFields />)}
          {section('upgrade', <UpgradeField />)}
          {section('tokens', <TokenFields />)}
          {section('domains', <><DomainField /><PathAccessField /></>)}
          {section('limits', <LimitFields />)}
          {section('config', <ConfigFields />)}
          {section('hosts', <HostField />)}
          {section('sources', <SourceFields />)}
          {section('tags', <TagField />)}
          <div className="form-bar">
            <Link to="/apps" className="form-bar-text">
              {t('common:action.cancel')}
            </Link>
            <Button onClick={() => void create(false)} loading={busy === 'create'} disabled={busy === 'start'}>
              {t('new.create')}
            </Button>
            <Button type="primary" htmlType="submit" loading={busy === 'start'} disabled={busy === 'create'}>
              {t('new.create_and_start')}
            </Button>
          </div>
        </form>
        <Summary ids={SECTION_IDS} briefs={briefs} wrong={wrong} onGo={(id) => {
          unfold(id);
          setTimeout(() => document.getElementById(`section-${id}`)?.scrollIntoView({ block: 'start' }), 30);
        }} />
      </div>
    </FormContext>
  );
}
