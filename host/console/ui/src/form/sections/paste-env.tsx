import { Input, Modal, Switch } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormats } from '../../format';
import { mergeRows } from '../logic/config-rows';
import { looksSecret, parseEnv } from '../logic/dotenv';
import type { ConfigRow } from '../logic/draft';

interface Props {
  rows: ConfigRow[];
  onRows: (rows: ConfigRow[]) => void;
  onClose: () => void;
}

/** Takes over the lines of a `.env` file. */
export function PasteEnv({ rows, onRows, onClose }: Props) {
  const { t } = useTranslation('form');
  const { list, number } = useFormats();
  const [text, setText] = useState('');
  const [guess, setGuess] = useState(true);
  const id = useId();
  const { entries, ignored } = parseEnv(text);
  const secrets = entries.filter((one) => looksSecret(one.key)).map((one) => one.key);
  const take = () => {
    onRows(mergeRows(rows, entries, guess));
    onClose();
  };
  return (
    <Modal open title={t('env.title')} onCancel={onClose} onOk={take} okText={t('env.take', { count: entries.length })} okButtonProps={{ disabled: entries.length === 0 }} cancelText={t('common:action.cancel')}>
      <label htmlFor={id} className="field-help">
        {t('env.help')}
      </label>
      <Input.TextArea
        id={id}
        dir="ltr"
        className="mono env-text"
        autoFocus
        value={text}
        rows={8}
        spellCheck={false}
        placeholder={'GREETING=hello\nAPI_KEY="…"'}
        onChange={(event) => setText(event.target.value)}
      />
      <div role="status" className="field-help">
        {entries.length > 0 && t('env.found', { count: entries.length })}{' '}
        {ignored.length > 0 && t('env.ignored', { count: ignored.length, lines: list(ignored.map((line) => number(line))) })}
      </div>
      {secrets.length > 0 && (
        <div className="switch-field field env-guess">
          <label htmlFor={`${id}-guess`} className="field-label">
            {t('env.guess', { count: secrets.length, keys: list(secrets) })}
          </label>
          <Switch id={`${id}-guess`} checked={guess} onChange={setGuess} />
        </div>
      )}
    </Modal>
  );
}
