import { Button, Skeleton } from 'antd';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useHostSettings } from '../../api/form';
import type { Settings } from '../../api/schema';
import { PageHeader } from '../../components/page-header';
import { ProblemAlert } from '../../components/problem';
import { goTo } from '../../form/field';
import '../../form/form.css';
import { LeaveGuard, useUnsaved } from '../../form/leave';
import { type LimitName, LIMITS } from '../../form/logic/limits';
import { useRuleText } from '../../form/rule-text';
import { checkCidr } from './cidr';
import { type Draft, draftOf, limitsOutOfRange, patchOf } from './draft';
import { HostLanguage } from './language';
import { DefaultLimits } from './limits';
import { Proxies } from './proxies';
import './settings.css';
import { useSettingsSave } from './use-settings-save';

export function SettingsPage() {
  const { t } = useTranslation('settings');
  const settings = useHostSettings();
  return (
    <>
      <PageHeader title={t('title')} about={t('about')} />
      {settings.isError && <ProblemAlert error={settings.error} onRetry={() => void settings.refetch()} />}
      {settings.isPending && <Skeleton active paragraph={{ rows: 10 }} />}
      {settings.data && <SettingsForm settings={settings.data} />}
    </>
  );
}

/** Follows what the host says until one types in it. */
function SettingsForm({ settings }: { settings: Settings }) {
  const { t } = useTranslation('settings');
  const { t: words } = useTranslation('form');
  const ruleText = useRuleText(words);
  const [edit, setEdit] = useState<{ base: Draft; draft: Draft } | null>(null);
  const [checked, setChecked] = useState(false);
  const { save, busy, problem, forget } = useSettingsSave(() => setEdit(null));
  const base = edit?.base ?? draftOf(settings);
  const draft = edit?.draft ?? base;
  const field = problem?.field ?? '';
  useUnsaved(edit !== null);
  useEffect(() => {
    if (field) goTo(field);
  }, [field, problem]);

  const change = (part: Partial<Draft>) => {
    const next = { ...draft, ...part };
    forget();
    setEdit(patchOf(base, next) ? { base, draft: next } : null);
  };
  const outOfRange = limitsOutOfRange(draft.limits);
  const wrongProxies = draft.proxies.filter((one) => checkCidr(one) === 'wrong');
  const limitError = (name: LimitName) => {
    if (field === `default_limits.${name}`) return problem?.message;
    const { min, max } = LIMITS[name];
    return checked && outOfRange.includes(name) ? ruleText({ rule: 'limit_range', values: { name, min, max } }) : undefined;
  };
  const proxyErrors = [
    ...wrongProxies.map((entry) => t('proxies.wrong', { entry })),
    ...(field.startsWith('trusted_proxies') && problem ? [problem.message] : []),
  ];
  const placed = field === 'language' || field.startsWith('trusted_proxies') || (field.startsWith('default_limits.') && field.slice(15) in LIMITS);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!edit) return;
    setChecked(true);
    const wrong = outOfRange[0] ? `default_limits.${outOfRange[0]}` : wrongProxies.length > 0 ? 'trusted_proxies' : null;
    wrong ? goTo(wrong) : void save(base, draft);
  };
  const discard = () => {
    setEdit(null);
    forget();
  };
  return (
    <form className="settings" noValidate onSubmit={submit}>
      <LeaveGuard />
      {problem && !placed && <ProblemAlert error={problem} />}
      <DefaultLimits limits={draft.limits} onChange={(limits) => change({ limits })} errorOf={limitError} />
      <Proxies settings={settings.trusted_proxies} proxies={draft.proxies} onChange={(proxies) => change({ proxies })} errors={proxyErrors} />
      <HostLanguage language={draft.language} onChange={(language) => change({ language })} error={field === 'language' ? problem?.message : undefined} />
      {edit && (
        <div className="form-bar" role="group" aria-label={t('common:state.unsaved')}>
          <span className="form-bar-text soft" role="status">
            {t('common:state.unsaved')}
          </span>
          <Button onClick={discard} disabled={busy}>
            {t('discard')}
          </Button>
          <Button type="primary" htmlType="submit" loading={busy}>
            {t('common:action.save')}
          </Button>
        </div>
      )}
    </form>
  );
}
