// The table of apps: a plain HTML table in a frame that scrolls, of which only the rows in sight are drawn.
import { CaretDownFilled, CaretUpFilled } from '@ant-design/icons';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Checkbox } from 'antd';
import { memo, type ReactNode, useCallback, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { AppAnswer, AppUsage } from '../../api/schema';
import { Time } from '../../components/time';
import { ComponentCell, DomainsCell, Figure, MemoryCell, NameCell, StatusCell, TagsCell } from './cells';
import { ACTIONS_WIDTH, NAME_WIDTH, SELECTION_WIDTH, WIDTHS } from './columns';
import { RowActions } from './row-actions';
import { tagsOf, type Usage } from './select';
import type { Room } from './table-room';
import type { Column, Sort, View } from './view';

/** From how many rows on they scroll in a frame of their own. */
const MANY = 60;
/** About how high a row is, in pixels. */
const ROW = 66;
const LEAST_HEIGHT = 320;

export interface ListProps {
  apps: AppAnswer[];
  /** Null: not known. */
  usage: Usage | null;
  view: View;
  change: (patch: Partial<View>) => void;
  selected: string[];
  onSelect: (ids: string[]) => void;
  onDelete: (app: AppAnswer) => void;
}

interface Props extends ListProps {
  room: Room;
  shown: Column[];
}

export function AppTable({ apps, usage, view, change, selected, onSelect, onDelete, room, shown }: Props) {
  const { t } = useTranslation('apps');
  const frame = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- its functions must not be memoized by a compiler; there is none here
  const rows = useVirtualizer({
    count: apps.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    getItemKey: (index) => apps[index]?.id ?? index,
    overscan: 6,
  });
  const chosen = useRef({ selected, view, change, onSelect });
  chosen.current = { selected, view, change, onSelect };
  const toggle = useCallback((id: string) => {
    const { selected: now, onSelect: set } = chosen.current;
    set(now.includes(id) ? now.filter((one) => one !== id) : [...now, id]);
  }, []);
  const chooseTag = useCallback((tag: string) => {
    const { view: now, change: set } = chosen.current;
    set({ filters: { ...now.filters, tag: [tag] } });
  }, []);
  const drawn = rows.getVirtualItems();
  const above = drawn[0]?.start ?? 0;
  const below = rows.getTotalSize() - (drawn.at(-1)?.end ?? 0);
  const least = SELECTION_WIDTH + ACTIONS_WIDTH + NAME_WIDTH + shown.reduce((sum, column) => sum + WIDTHS[column], 0);
  const height = apps.length > MANY ? Math.max(room.height, LEAST_HEIGHT) : undefined;
  return (
    <div ref={frame} className="table-frame" style={{ maxBlockSize: height }}>
      <table aria-label={t('table')} aria-rowcount={apps.length + 1} style={{ minInlineSize: least }}>
        <colgroup>
          <col style={{ inlineSize: SELECTION_WIDTH }} />
          <col />
          {shown.map((column) => (
            <col key={column} style={{ inlineSize: WIDTHS[column] }} />
          ))}
          <col style={{ inlineSize: ACTIONS_WIDTH }} />
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            <td className="selection">
              <All apps={apps} selected={selected} onSelect={onSelect} />
            </td>
            <Head column="name" view={view} change={change} />
            {shown.map((column) => (
              <Head key={column} column={column} view={view} change={change} />
            ))}
            <th scope="col">
              <span className="unseen">{t('column.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          <Spacer height={above} columns={shown.length + 3} />
          {drawn.map(({ index, key }) => {
            const app = apps[index];
            if (!app) return null;
            const uses = usage ? usage.get(app.id) : null;
            const isSelected = selected.includes(app.id);
            return (
              <Row key={key} index={index} measure={rows.measureElement} {...{ app, uses, shown, isSelected, toggle, chooseTag, onDelete }} />
            );
          })}
          <Spacer height={below} columns={shown.length + 3} />
        </tbody>
      </table>
    </div>
  );
}

/** The room of the rows that are not drawn. */
function Spacer({ height, columns }: { height: number; columns: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden className="spacer">
      <td colSpan={columns} style={{ blockSize: height }} />
    </tr>
  );
}

function All({ apps, selected, onSelect }: Pick<ListProps, 'apps' | 'selected' | 'onSelect'>) {
  const { t } = useTranslation('apps');
  const shown = new Set(apps.map((app) => app.id));
  const some = selected.filter((id) => shown.has(id)).length;
  const others = selected.filter((id) => !shown.has(id));
  return (
    <Checkbox
      aria-label={t('select_all')}
      checked={some === apps.length}
      indeterminate={some > 0 && some < apps.length}
      onChange={(event) => onSelect(event.target.checked ? [...others, ...shown] : others)}
    />
  );
}

const NUMERIC: ReadonlySet<string> = new Set(['requests', 'cpu']);

/** A short head with the whole of it on hover; a button where the column can be sorted by. */
function Head({ column, view, change }: { column: Column | 'name' } & Pick<ListProps, 'view' | 'change'>) {
  const { t } = useTranslation('apps');
  const whole = t(`column.${column}`);
  const text = NUMERIC.has(column) ? t(`column_short.${column as 'requests' | 'cpu'}`) : whole;
  const className = NUMERIC.has(column) ? 'numeric' : undefined;
  if (column === 'tags') return <th scope="col">{whole}</th>;
  const by: Sort = column;
  const sorted = view.sort === by;
  const order = sorted ? (view.descending ? 'descending' : 'ascending') : undefined;
  return (
    <th scope="col" aria-sort={order} className={className}>
      <button type="button" className="sort" title={whole} onClick={() => change({ sort: by, descending: sorted && !view.descending })}>
        <span>{text}</span>
        <span className={sorted ? 'sort-sign sorted' : 'sort-sign'} aria-hidden>
          {order === 'descending' ? <CaretDownFilled /> : <CaretUpFilled />}
        </span>
      </button>
    </th>
  );
}

interface RowProps {
  app: AppAnswer;
  index: number;
  uses: AppUsage | undefined | null;
  shown: Column[];
  isSelected: boolean;
  toggle: (id: string) => void;
  chooseTag: (tag: string) => void;
  onDelete: (app: AppAnswer) => void;
  measure: (element: Element | null) => void;
}

const Row = memo(function Row({ app, index, uses, shown, isSelected, toggle, chooseTag, onDelete, measure }: RowProps) {
  const { t } = useTranslation('apps');
  const cells: Record<Column, () => ReactNode> = {
    status: () => <StatusCell app={app} usage={uses} />,
    component: () => <ComponentCell app={app} />,
    start: () => t(`start_mode.${app.start_mode}`),
    requests: () => <Figure usage={uses} of="requests_per_minute" />,
    cpu: () => <Figure usage={uses} of="cpu_cores" />,
    memory: () => <MemoryCell app={app} usage={uses} />,
    domains: () => <DomainsCell app={app} />,
    tags: () => <TagsCell tags={tagsOf(app)} onChoose={chooseTag} />,
    created: () => <Time ms={app.created_at} />,
  };
  return (
    <tr ref={measure} data-index={index} data-row-key={app.id} aria-rowindex={index + 2} className={isSelected ? 'selected' : undefined}>
      <td className="selection">
        <Checkbox aria-label={t('select_app', { name: app.display_name })} checked={isSelected} onChange={() => toggle(app.id)} />
      </td>
      <th scope="row">
        <NameCell app={app} />
      </th>
      {shown.map((column) => (
        <td key={column} className={NUMERIC.has(column) ? 'numeric' : undefined}>
          {cells[column]()}
        </td>
      ))}
      <td>
        <RowActions app={app} onDelete={onDelete} />
      </td>
    </tr>
  );
});
