import { Button, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import type { InputProps } from '../field';

interface Props {
  input: InputProps;
  /** Null: the host has one, and does not show it. */
  value: string | null;
  /** The host has one that could be kept. */
  stored: boolean;
  placeholder?: string;
  onChange: (value: string | null) => void;
}

/** A database's URL: it holds a password, so it is masked, and one that was saved is not shown. */
export function UrlInput({ input, value, stored, placeholder, onChange }: Props) {
  const { t } = useTranslation('form');
  if (value === null) {
    return (
      <div className="kept">
        <span className="soft">{t('secret.set')}</span>
        <Button id={input.id} aria-describedby={input['aria-describedby']} aria-label={t('secret.replace_url')} onClick={() => onChange('')}>
          {t('secret.replace')}
        </Button>
      </div>
    );
  }
  return (
    <div className="kept">
      <Input.Password
        {...input}
        dir="ltr"
        value={value}
        placeholder={placeholder}
        autoComplete="new-password"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value.trim())}
      />
      {stored && <Button onClick={() => onChange(null)}>{t('secret.keep')}</Button>}
    </div>
  );
}
