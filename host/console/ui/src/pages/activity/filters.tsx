import { ClearOutlined, SearchOutlined } from '@ant-design/icons';
import { Button, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useApps } from '../../api/apps';
import type { ActivityFilter } from '../../api/activity';
import { ACTIONS, RESULTS } from '../../components/activity-fold';
import { useActionName } from '../../components/activity-list';
import { type Field, isEmpty, MAX_SEARCH } from './filter';

interface Props {
  /** What is typed and chosen. */
  query: URLSearchParams;
  filter: ActivityFilter;
  /** Those who did something, as far as is known. */
  actors: readonly string[];
  onChange: (field: Field, value: string | undefined) => void;
  onClear: () => void;
}

export function Filters({ query, filter, actors, onChange, onClear }: Props) {
  const { t } = useTranslation('activity');
  const action = useActionName();
  const apps = useApps().data ?? [];
  const known = (values: readonly string[], chosen: string | undefined) => [...new Set(chosen ? [chosen, ...values] : values)].sort();
  const choices: [Field, { value: string; label: string }[]][] = [
    ['app', known(apps.map((app) => app.id), filter.app).map((value) => ({ value, label: value }))],
    ['actor', known(actors, filter.actor).map((value) => ({ value, label: value === 'system' ? t('common:activity.system') : value }))],
    ['action', ACTIONS.map((value) => ({ value, label: action(value) }))],
    ['result', RESULTS.map((value) => ({ value, label: t(`common:activity.result.${value}`) }))],
  ];
  return (
    <search className="activity-filters">
      <Input
        allowClear
        prefix={<SearchOutlined />}
        value={query.get('search') ?? ''}
        maxLength={MAX_SEARCH}
        placeholder={t('search')}
        aria-label={t('search')}
        onChange={(event) => onChange('search', event.target.value)}
      />
      {choices.map(([field, options]) => (
        <Select
          key={field}
          allowClear
          showSearch={{ optionFilterProp: 'label' }}
          popupMatchSelectWidth={false}
          value={filter[field]}
          placeholder={t(`any.${field}`)}
          aria-label={t(`field.${field}`)}
          options={options}
          onChange={(value: string | undefined) => onChange(field, value)}
        />
      ))}
      {!isEmpty(filter) && (
        <Button type="text" icon={<ClearOutlined />} onClick={onClear}>
          {t('common:action.clear')}
        </Button>
      )}
    </search>
  );
}
