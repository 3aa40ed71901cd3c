import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useApps } from '../../api/apps';
import type { SourceAccess } from '../../api/schema';
import { useFormContext } from '../context';
import { Field, FieldError } from '../field';
import { UrlInput } from '../inputs/url-input';
import { newRow, type SourceRow } from '../logic/draft';

export function SourceFields() {
  const { t } = useTranslation('form');
  const { draft, change, errorOf } = useFormContext();
  const rows = draft.data_sources;
  const set = (data_sources: SourceRow[]) => change({ data_sources });
  const edit = (row: string, part: Partial<SourceRow>) => set(rows.map((one) => (one.row === row ? { ...one, ...part } : one)));
  const add = () => set([...rows, { row: newRow(), name: '', place: 'app', app: '', url: '', access: 'read_only', stored: false }]);
  return (
    <div data-path="data_sources">
      {rows.length === 0 && <p className="soft">{t('sources.none')}</p>}
      <ul className="rows">
        {rows.map((row, index) => (
          <Row key={row.row} row={row} index={index} onEdit={(part) => edit(row.row, part)} onRemove={() => set(rows.filter((one) => one.row !== row.row))} />
        ))}
      </ul>
      <FieldError text={errorOf('data_sources')} />
      <div className="row-actions">
        <Button icon={<PlusOutlined />} onClick={add}>
          {t('sources.add')}
        </Button>
      </div>
    </div>
  );
}

interface RowProps {
  row: SourceRow;
  index: number;
  onEdit: (part: Partial<SourceRow>) => void;
  onRemove: () => void;
}

function Row({ row, index, onEdit, onRemove }: RowProps) {
  const { t } = useTranslation('form');
  const { app } = useFormContext();
  const path = `data_sources[${index}]`;
  const was = app?.data_sources?.[row.name];
  const kept = row.stored && !!was && !was.app;
  const place = (next: 'app' | 'url') => onEdit({ place: next, url: next === 'url' && kept ? null : '' });
  return (
    <li className="source-row" data-path={path}>
      <Field path={`${path}.name`} label={t('sources.name')}>
        {(input) => (
          <Input
            {...input}
            dir="ltr"
            className="mono"
            value={row.name}
            readOnly={row.stored}
            variant={row.stored ? 'filled' : undefined}
            maxLength={63}
            autoComplete="off"
            spellCheck={false}
            placeholder="orders"
            onChange={(event) => onEdit({ name: event.target.value.trim() })}
          />
        )}
      </Field>
      <Field path={`${path}.place`} label={t('sources.place')}>
        {(input) => (
          <Select<'app' | 'url'>
            {...input}
            className="wide"
            value={row.place}
            onChange={place}
            options={(['app', 'url'] as const).map((value) => ({ value, label: t(`sources.place_${value}`) }))}
          />
        )}
      </Field>
      {row.place === 'app' ? <AppField path={`${path}.app`} value={row.app} onChange={(next) => onEdit({ app: next })} /> : (
        <Field path={`${path}.url`} label={t('database.url')}>
          {(input) => <UrlInput input={input} value={row.url} stored={kept} placeholder="postgres://user:password@host/name" onChange={(url) => onEdit({ url })} />}
        </Field>
      )}
      <Field path={`${path}.access`} label={t('sources.access')}>
        {(input) => (
          <Select<SourceAccess>
            {...input}
            className="wide"
            value={row.access}
            onChange={(access) => onEdit({ access })}
            options={(['read_only', 'read_write'] as const).map((value) => ({ value, label: t(`sources.${value}`) }))}
          />
        )}
      </Field>
      <Button className="row-remove" type="text" icon={<DeleteOutlined />} aria-label={t('sources.remove_of', { name: row.name || t('config.nth', { number: index + 1 }) })} onClick={onRemove} />
    </li>
  );
}

/** An app that has a database of its own. */
function AppField({ path, value, onChange }: { path: string; value: string; onChange: (id: string) => void }) {
  const { t } = useTranslation('form');
  const { draft } = useFormContext();
  const apps = useApps().data ?? [];
  const others = apps.filter((app) => app.id !== draft.id && app.database.kind !== 'none');
  return (
    <Field path={path} label={t('sources.app')}>
      {(input) => (
        <Select<string>
          {...input}
          className="wide"
          value={value || null}
          onChange={onChange}
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={t('sources.choose_app')}
          notFoundContent={t('sources.no_app')}
          options={others.map((app) => ({ value: app.id, label: app.display_name === app.id ? app.id : `${app.display_name} (${app.id})` }))}
        />
      )}
    </Field>
  );
}
