import { EyeInvisibleOutlined, EyeOutlined } from '@ant-design/icons';
import { Button, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { InputProps } from '../field';

interface Props {
  input: InputProps;
  value: string;
  secret: boolean;
  placeholder?: string;
  onChange: (value: string) => void;
}

/** A text of one or many lines; a secret one is masked until asked for. */
export function SecretArea({ input, value, secret, placeholder, onChange }: Props) {
  const { t } = useTranslation('form');
  const [shown, setShown] = useState(false);
  return (
    <div className="secret-area">
      <Input.TextArea
        {...input}
        value={value}
        dir="ltr"
        placeholder={placeholder}
        rows={Math.min(value.split('\n').length, 8)}
        autoComplete="off"
        spellCheck={false}
        className={secret && !shown ? 'grows masked' : 'grows plain'}
        onChange={(event) => onChange(event.target.value)}
      />
      {secret && (
        <Button
          type="text"
          icon={shown ? <EyeOutlined /> : <EyeInvisibleOutlined />}
          aria-label={t(shown ? 'config.hide' : 'config.show')}
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
        />
      )}
    </div>
  );
}
