import { Table, type TableColumnsType, type TableProps } from 'antd';
import { type RefObject, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { AppAnswer } from '../../api/schema';
import { Time } from '../../components/time';
import { ComponentCell, DomainsCell, Figure, MemoryCell, NameCell, StatusCell, TagsCell } from './cells';
import { ACTIONS_WIDTH, NAME_WIDTH, SELECTION_WIDTH, WIDTHS } from './columns';
import { RowActions } from './row-actions';
import { tagsOf, type Usage } from './select';
import { type Room, useTableRoles } from './table-room';
import type { Column, Sort, View } from './view';

/** From how many rows on only those in sight are drawn. */
const MANY = 60;
/** The head and the borders around the rows. */
const HEAD_HEIGHT = 60;

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
  /** What is around the table. */
  frame: RefObject<HTMLDivElement | null>;
  room: Room;
  shown: Column[];
}

export default function AppTable({ apps, usage, view, change, selected, onSelect, onDelete, frame, room, shown }: Props) {
  const { t } = useTranslation('apps');
  const fixed = SELECTION_WIDTH + ACTIONS_WIDTH + shown.reduce((sum, column) => sum + WIDTHS[column], 0);
  const nameWidth = Math.max(NAME_WIDTH, room.width - fixed - 2);
  const overflows = fixed + nameWidth > room.width;
  const virtual = apps.length > MANY;
  useTableRoles(frame, virtual, apps.length, t('table'));

  const columns = useMemo(() => {
    const head = (column: Sort) => ({
      sorter: true,
      sortOrder: view.sort === column ? (view.descending ? ('descend' as const) : ('ascend' as const)) : null,
    });
    const of = (app: AppAnswer) => (usage ? usage.get(app.id) : null);
    const chooseTag = (tag: string) => change({ filters: { ...view.filters, tag: [tag] } });
    const all: Record<Column, TableColumnsType<AppAnswer>[number]> = {
      status: { ...head('status'), render: (_, app) => <StatusCell app={app} usage={of(app)} /> },
      component: { ...head('component'), render: (_, app) => <ComponentCell app={app} /> },
      start: { ...head('start'), render: (_, app) => t(`start_mode.${app.start_mode}`) },
      requests: { ...head('requests'), align: 'end', className: 'numeric', render: (_, app) => <Figure usage={of(app)} of="requests_per_minute" /> },
      cpu: { ...head('cpu'), align: 'end', className: 'numeric', render: (_, app) => <Figure usage={of(app)} of="cpu_cores" /> },
      memory: { ...head('memory'), render: (_, app) => <MemoryCell app={app} usage={of(app)} /> },
      domains: { ...head('domains'), render: (_, app) => <DomainsCell app={app} /> },
      tags: { render: (_, app) => <TagsCell tags={tagsOf(app)} onChoose={chooseTag} /> },
      created: { ...head('created'), render: (_, app) => <Time ms={app.created_at} /> },
    };
    const list: TableColumnsType<AppAnswer> = [
      {
        ...head('name'),
        key: 'name',
        title: t('column.name'),
        width: nameWidth,
        fixed: overflows ? 'start' : undefined,
        rowScope: 'row',
        render: (_, app) => <NameCell app={app} />,
      },
      ...shown.map((column) => ({ ...all[column], key: column, title: <Head column={column} />, width: WIDTHS[column] })),
      {
        key: 'actions',
        title: <span className="unseen">{t('column.actions')}</span>,
        width: ACTIONS_WIDTH,
        fixed: overflows ? 'end' : undefined,
        align: 'end',
        render: (_, app) => <RowActions app={app} onDelete={onDelete} />,
      },
    ];
    return virtual ? list.map(withRoles) : list;
  }, [t, usage, view, change, shown, nameWidth, onDelete, overflows, virtual]);

  const sort: TableProps<AppAnswer>['onChange'] = (_pages, _filters, sorter) => {
    const { columnKey, order } = Array.isArray(sorter) ? (sorter[0] ?? {}) : sorter;
    if (order) change({ sort: columnKey as Sort, descending: order === 'descend' });
    else change({ sort: 'name', descending: false });
  };
  return (
    <Table<AppAnswer>
      key={virtual ? 'virtual' : 'plain'}
      rowKey="id"
      size="middle"
      columns={columns}
      dataSource={apps}
      pagination={false}
      virtual={virtual}
      scroll={virtual ? { x: fixed + nameWidth, y: Math.max(room.height - HEAD_HEIGHT, 320) } : overflows ? { x: fixed + nameWidth } : undefined}
      tableLayout="fixed"
      showSorterTooltip={false}
      onChange={sort}
      onRow={virtual ? asRow : undefined}
      rowSelection={{
        selectedRowKeys: selected,
        preserveSelectedRowKeys: true,
        columnWidth: SELECTION_WIDTH,
        fixed: overflows ? 'start' : undefined,
        onChange: (keys) => onSelect(keys as string[]),
        getCheckboxProps: (app) => ({ 'aria-label': t('select_app', { name: app.display_name }) }) as object,
        getTitleCheckboxProps: () => ({ 'aria-label': t('select_all') }) as object,
        onCell: virtual ? asCell : undefined,
      }}
    />
  );
}

/** A short head, with the whole of it on hover. */
function Head({ column }: { column: Column }) {
  const { t } = useTranslation('apps');
  const short = column === 'requests' || column === 'cpu';
  return <span title={t(`column.${column}`)}>{t(short ? `column_short.${column}` : `column.${column}`)}</span>;
}

const asRow = () => ({ role: 'row' });
const asCell = () => ({ role: 'cell' });
const withRoles = (column: TableColumnsType<AppAnswer>[number]) => ({ ...column, onCell: asCell });
