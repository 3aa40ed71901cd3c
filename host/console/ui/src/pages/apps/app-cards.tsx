import { Checkbox } from 'antd';
import { memo, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AppAnswer, AppUsage } from '../../api/schema';
import type { ListProps } from './app-table';
import { ComponentCell, DomainsCell, Figure, MemoryCell, NameCell, StatusCell, TagsCell } from './cells';
import { RowActions } from './row-actions';
import { tagsOf } from './select';

/** How many cards are drawn at first, and with each scroll to their end. */
const STEP = 40;

/** The apps on narrow screens. */
export function AppCards({ apps, usage, view, change, selected, onSelect, onDelete }: ListProps) {
  const { t } = useTranslation('apps');
  const [count, setCount] = useState(STEP);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = end.current;
    if (!element) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setCount((n) => n + STEP), { rootMargin: '800px' });
    observer.observe(element);
    return () => observer.disconnect();
    // Anew after each step: whether the end is still near is only told when watching begins.
  }, [count, apps.length]);
  const chosen = new Set(selected);
  const toggle = (id: string, on: boolean) => onSelect(on ? [...selected, id] : selected.filter((one) => one !== id));
  const chooseTag = (tag: string) => change({ filters: { ...view.filters, tag: [tag] } });
  const allShown = apps.length > 0 && apps.every((app) => chosen.has(app.id));
  const selectShown = (on: boolean) => {
    const ids = apps.map((app) => app.id);
    onSelect(on ? [...new Set([...selected, ...ids])] : selected.filter((id) => !ids.includes(id)));
  };
  return (
    <>
      <Checkbox className="select-shown" checked={allShown} indeterminate={!allShown && apps.some((app) => chosen.has(app.id))} onChange={(event) => selectShown(event.target.checked)}>
        {t('select_all')}
      </Checkbox>
      <ul className="app-cards">
        {apps.slice(0, count).map((app) => (
          <Card
            key={app.id}
            app={app}
            usage={usage ? usage.get(app.id) : null}
            selected={chosen.has(app.id)}
            onSelect={toggle}
            onDelete={onDelete}
            onTag={chooseTag}
          />
        ))}
      </ul>
      {count < apps.length && <div ref={end} />}
    </>
  );
}

interface CardProps {
  app: AppAnswer;
  usage: AppUsage | undefined | null;
  selected: boolean;
  onSelect: (id: string, on: boolean) => void;
  onDelete: (app: AppAnswer) => void;
  onTag: (tag: string) => void;
}

const Card = memo(function Card({ app, usage, selected, onSelect, onDelete, onTag }: CardProps) {
  const { t } = useTranslation('apps');
  const tags = tagsOf(app);
  return (
    <li className={selected ? 'app-card selected' : 'app-card'}>
      <div className="app-card-head">
        <NameCell app={app} />
        <Checkbox checked={selected} aria-label={t('select_app', { name: app.display_name })} onChange={(event) => onSelect(app.id, event.target.checked)} />
      </div>
      <StatusCell app={app} usage={usage} />
      <dl>
        <dt>{t('column.component')}</dt>
        <dd>
          <ComponentCell app={app} />
        </dd>
        {usage !== null && (
          <>
            <dt>{t('column.requests')}</dt>
            <dd>
              <Figure usage={usage} of="requests_per_minute" />
            </dd>
            <dt>{t('column.cpu')}</dt>
            <dd>
              <Figure usage={usage} of="cpu_cores" />
            </dd>
            <dt>{t('column.memory')}</dt>
            <dd>
              <MemoryCell app={app} usage={usage} />
            </dd>
          </>
        )}
        {app.domains.length > 0 && (
          <>
            <dt>{t('column.domains')}</dt>
            <dd>
              <DomainsCell app={app} />
            </dd>
          </>
        )}
      </dl>
      {tags.length > 0 && <TagsCell tags={tags} onChoose={onTag} />}
      <RowActions app={app} onDelete={onDelete} wide />
    </li>
  );
});
