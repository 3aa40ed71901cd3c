import { DeleteOutlined, PlusOutlined, SnippetsOutlined } from '@ant-design/icons';
import { Button, Input, Switch } from 'antd';
import { type ClipboardEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormContext } from '../context';
import { Field, FieldError } from '../field';
import { SecretArea } from '../inputs/secret-area';
import { mergeRows } from '../logic/config-rows';
import { parseEnv } from '../logic/dotenv';
import { type ConfigRow, newRow } from '../logic/draft';
import { PasteEnv } from './paste-env';

export function ConfigFields() {
  const { t } = useTranslation('form');
  const { draft, change, errorOf } = useFormContext();
  const [pasting, setPasting] = useState(false);
  const rows = draft.config;
  const set = (config: ConfigRow[]) => change({ config });
  const edit = (row: string, part: Partial<ConfigRow>) => set(rows.map((one) => (one.row === row ? { ...one, ...part } : one)));
  const add = () => set([...rows, { row: newRow(), key: '', value: '', secret: false, stored: false }]);
  return (
    <div data-path="config">
      {rows.length === 0 && <p className="soft">{t('config.none')}</p>}
      <ul className="rows">
        {rows.map((row, index) => (
          <Row
            key={row.row}
            row={row}
            index={index}
            onEdit={(part) => edit(row.row, part)}
            onRemove={() => set(rows.filter((one) => one.row !== row.row))}
            onEntries={(entries) => set(mergeRows(rows.filter((one) => one.row !== row.row || one.stored), entries, true))}
          />
        ))}
      </ul>
      <FieldError text={errorOf('config')} />
      <div className="row-actions">
        <Button icon={<PlusOutlined />} onClick={add}>
          {t('config.add')}
        </Button>
        <Button icon={<SnippetsOutlined />} onClick={() => setPasting(true)}>
          {t('config.paste')}
        </Button>
      </div>
      {pasting && <PasteEnv rows={rows} onRows={set} onClose={() => setPasting(false)} />}
    </div>
  );
}

interface RowProps {
  row: ConfigRow;
  index: number;
  onEdit: (part: Partial<ConfigRow>) => void;
  onRemove: () => void;
  onEntries: (entries: { key: string; value: string }[]) => void;
}

function Row({ row, index, onEdit, onRemove, onEntries }: RowProps) {
  const { t } = useTranslation('form');
  const path = `config[${index}]`;
  const name = row.key || t('config.nth', { number: index + 1 });
  // A secret under another key would have to be typed again: it cannot be read.
  const fixed = row.stored && row.value === null;
  const paste = (event: ClipboardEvent) => {
    const text = event.clipboardData.getData('text');
    const { entries } = parseEnv(text);
    if (entries.length === 0 || !text.includes('=')) return;
    event.preventDefault();
    onEntries(entries);
  };
  return (
    <li className="config-row" data-path={path}>
      <Field path={`${path}.key`} label={t('config.key')}>
        {(input) => (
          <Input
            {...input}
            dir="ltr"
            className="mono"
            value={row.key}
            readOnly={fixed}
            variant={fixed ? 'filled' : undefined}
            maxLength={128}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            placeholder="API_KEY"
            onPaste={paste}
            onChange={(event) => onEdit({ key: event.target.value.trim() })}
          />
        )}
      </Field>
      <Field path={`${path}.value`} label={t('config.value')}>
        {(input) =>
          row.value === null ? (
            <div className="kept">
              <span className="soft">{t(row.secret && row.stored ? 'secret.set' : 'secret.again')}</span>
              <Button id={input.id} aria-describedby={input['aria-describedby']} onClick={() => onEdit({ value: '' })} aria-label={t('config.replace_of', { name })}>
                {t(row.stored ? 'secret.replace' : 'secret.type')}
              </Button>
            </div>
          ) : (
            <SecretArea input={input} value={row.value} secret={row.secret} onChange={(value) => onEdit({ value })} />
          )
        }
      </Field>
      <div className="config-secret">
        <label htmlFor={`secret-${row.row}`} className="field-label">
          {t('config.secret')}
        </label>
        <Switch id={`secret-${row.row}`} checked={row.secret} onChange={(secret) => onEdit({ secret })} aria-label={t('config.secret_of', { name })} />
      </div>
      <Button className="row-remove" type="text" icon={<DeleteOutlined />} aria-label={t('config.remove_of', { name })} onClick={onRemove} />
    </li>
  );
}
