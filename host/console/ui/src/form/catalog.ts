// The form's sections: which fields are in which, and what each says in one line while it is folded.
import { useTranslation } from 'react-i18next';
import { useComponents } from '../api/components';
import { useFormats } from '../format';
import type { Draft, DraftField } from './logic/draft';
import { type LimitValues, presetOf } from './logic/limits';
import { fieldOf } from './logic/problems';
import { useLimitText } from './rule-text';

export const SECTIONS = {
  general: ['display_name', 'id'],
  component: ['component'],
  start: ['start_mode', 'placement', 'environments', 'failover'],
  database: ['database'],
  upgrade: ['auto_upgrade'],
  tokens: ['jwt'],
  domains: ['domains', 'path_access'],
  limits: ['limits'],
  config: ['config'],
  hosts: ['outbound_hosts'],
  sources: ['data_sources'],
  tags: ['tags'],
} as const satisfies Record<string, readonly DraftField[]>;

export type SectionId = keyof typeof SECTIONS;

/** Sections' names that only editing has. */
export type PartSectionId = SectionId | 'change';

export const SECTION_IDS = Object.keys(SECTIONS) as SectionId[];

/** The section that a field's path is in. */
export function sectionOf(path: string): SectionId | undefined {
  return SECTION_IDS.find((id) => (SECTIONS[id] as readonly DraftField[]).includes(fieldOf(path)));
}

/** What each section holds now, in one line. */
export function useBriefs(draft: Draft, standard: LimitValues): Record<SectionId, string> {
  const { t } = useTranslation('form');
  const { list, number } = useFormats();
  const words = useLimitText(t);
  const component = useComponents().data?.find((one) => one.digest === draft.component);
  const few = (items: string[]) => (items.length > 3 ? t('brief.more', { first: list(items.slice(0, 2)), count: items.length - 2 }) : list(items)) || t('common:state.none');
  const secrets = draft.config.filter((row) => row.secret).length;
  return {
    general: draft.display_name || t('brief.no_name'),
    component: component ? `${component.name} ${component.version}` : t('brief.no_component'),
    start: [t(`start.${draft.start_mode}`), ...draft.environments.filter((name) => name !== 'local')].join(' · '),
    database: t(`database.${draft.database.kind}`),
    upgrade: t(draft.auto_upgrade ? 'upgrade.on' : 'upgrade.off'),
    tokens: draft.jwt.independent ? t('brief.own_key', { algorithm: draft.jwt.algorithm }) : t('jwt.shared'),
    domains: draft.domains.length > 0 ? few(draft.domains) : t(`brief.path_${draft.path_access}`),
    limits: t('brief.limits', {
      preset: t(`limits.${presetOf(draft.limits, standard)}`),
      memory: words('memory_bytes', draft.limits.memory_bytes),
      cpu: words('cpu_cores', draft.limits.cpu_cores),
    }),
    config:
      draft.config.length === 0
        ? t('common:state.none')
        : t('brief.config', { count: draft.config.length, secrets: t('brief.secrets', { count: secrets, amount: number(secrets) }) }),
    hosts: few(draft.outbound_hosts),
    sources: few(draft.data_sources.map((row) => row.name).filter(Boolean)),
    tags: few(draft.tags),
  };
}
