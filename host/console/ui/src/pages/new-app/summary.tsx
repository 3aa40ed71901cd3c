import { CloseCircleFilled } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';
import type { SectionId } from '../../form/catalog';
import { useFormContext } from '../../form/context';

interface Props {
  ids: SectionId[];
  briefs: Record<SectionId, string>;
  wrong: ReadonlySet<SectionId | undefined>;
  onGo: (id: SectionId) => void;
}

/** What the app will be, beside the form on wide screens; each line leads to its section. */
export function Summary({ ids, briefs, wrong, onGo }: Props) {
  const { t } = useTranslation('form');
  const { draft } = useFormContext();
  return (
    <aside className="summary" aria-labelledby="summary-title">
      <h2 id="summary-title">{t('summary.title')}</h2>
      <ul>
        {ids.map((id) => (
          <li key={id}>
            <button type="button" onClick={() => onGo(id)}>
              <span className="summary-name">
                {t(`section.${id}.title`)}
                {wrong.has(id) && <CloseCircleFilled className="wrong" aria-label={t('wrong_here')} />}
              </span>
              <span className="summary-brief">{briefs[id]}</span>
            </button>
          </li>
        ))}
      </ul>
      <p className="summary-next">{t(draft.start_mode === 'with_host' ? 'summary.with_host' : 'summary.on_first_visit')}</p>
    </aside>
  );
}
