import { ClearOutlined, SearchOutlined, SortAscendingOutlined, SortDescendingOutlined, TableOutlined } from '@ant-design/icons';
import { Button, Dropdown, Input } from 'antd';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { AppAnswer } from '../../api/schema';
import { useFormats } from '../../format';
import { CheckButton } from './check-button';
import { facets, type Option } from './select';
import { type Column, COLUMNS, type Facet, FACETS, isFiltered, NO_FILTERS, type Sort, SORTS } from './view';
import type { ViewState } from './use-view';

interface Props extends ViewState {
  apps: AppAnswer[];
  /** How many of them are shown. */
  shown: number;
  narrow: boolean;
  /** The columns shown at the moment. */
  columns: Column[];
}

/** Search, filters, sorting and columns. */
export function Toolbar({ apps, shown, view, change, narrow, columns }: Props) {
  const { t } = useTranslation('apps');
  const { number } = useFormats();
  const options = useMemo(() => facets(apps, view), [apps, view]);
  const clear = () => change({ search: '', filters: NO_FILTERS });
  return (
    <div className="toolbar" role="search">
      <Input
        className="toolbar-search"
        type="search"
        allowClear
        prefix={<SearchOutlined className="soft" />}
        value={view.search}
        placeholder={t('search')}
        aria-label={t('search')}
        onChange={(event) => change({ search: event.target.value })}
      />
      {FACETS.filter((facet) => worthwhile(facet, options[facet], view.filters[facet])).map((facet) => (
        <Filter
          key={facet}
          facet={facet}
          options={options[facet]}
          chosen={view.filters[facet]}
          onChange={(chosen) => change({ filters: { ...view.filters, [facet]: chosen } })}
        />
      ))}
      {narrow ? <SortChoice view={view} change={change} /> : <ColumnChoice columns={columns} view={view} change={change} />}
      <span className="toolbar-count">
        <span className="soft" role="status">
          {t('shown', { count: apps.length, shown: number(shown, 0), all: number(apps.length, 0) })}
        </span>
        {isFiltered(view) && (
          <Button type="link" size="small" icon={<ClearOutlined />} onClick={clear}>
            {t('clear_filters')}
          </Button>
        )}
      </span>
    </div>
  );
}

/** A filter with one option or none filters nothing. */
function worthwhile(facet: Facet, options: Option[], chosen: string[]): boolean {
  if (chosen.length > 0 || facet === 'status') return true;
  return facet === 'tag' ? options.length > 0 : options.length > 1;
}

function Filter({ facet, options, chosen, onChange }: { facet: Facet; options: Option[]; chosen: string[]; onChange: (chosen: string[]) => void }) {
  const { t } = useTranslation('apps');
  const choices = options.map(({ value, count }) => {
    const text = facet === 'status' ? t(`common:status.${value}`) : value;
    return { value, label: text, text, count };
  });
  return <CheckButton counted label={t(`filter.${facet}`)} choices={choices} chosen={chosen} onChange={onChange} />;
}

function ColumnChoice({ columns, view, change }: { columns: Column[] } & ViewState) {
  const { t } = useTranslation('apps');
  const choices = COLUMNS.map((column) => ({ value: column, label: t(`column.${column}`), text: t(`column.${column}`) }));
  const choose = (chosen: string[]) => change({ columns: COLUMNS.filter((column) => chosen.includes(column)) });
  return (
    <CheckButton
      label={t('columns')}
      icon={<TableOutlined />}
      choices={choices}
      chosen={columns}
      onChange={choose}
      footer={
        <Button type="link" size="small" disabled={view.columns === null} onClick={() => change({ columns: null })}>
          {t('columns_reset')}
        </Button>
      }
    />
  );
}

function SortChoice({ view, change }: ViewState) {
  const { t } = useTranslation('apps');
  const items = [
    ...SORTS.map((sort) => ({ key: sort, label: t(`column.${sort}`) })),
    { type: 'divider' as const },
    { key: 'ascending', label: t('ascending') },
    { key: 'descending', label: t('descending') },
  ];
  const choose = (key: string) => {
    if (key === 'ascending' || key === 'descending') change({ descending: key === 'descending' });
    else change({ sort: key as Sort });
  };
  return (
    <Dropdown
      trigger={['click']}
      menu={{ items, selectable: true, multiple: true, selectedKeys: [view.sort, view.descending ? 'descending' : 'ascending'], onClick: ({ key }) => choose(key) }}
    >
      <Button icon={view.descending ? <SortDescendingOutlined /> : <SortAscendingOutlined />}>{t(`column.${view.sort}`)}</Button>
    </Dropdown>
  );
}
