import { DownOutlined } from '@ant-design/icons';
import { Badge, Button, Checkbox, Input, Popover } from 'antd';
import { type ReactNode, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormats } from '../../format';
import { plain } from './select';

/** From how many options on one can search among them. */
const MANY = 10;

export interface Choice {
  value: string;
  label: ReactNode;
  /** What a search among the options looks at. */
  text: string;
  count?: number;
}

interface Props {
  label: string;
  icon?: ReactNode;
  choices: Choice[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
  /** Beneath the options. */
  footer?: ReactNode;
  /** Whether the number of chosen ones stands on the button. */
  counted?: boolean;
}

/** A button that opens a list of boxes to tick: a filter's options, or the columns. */
export function CheckButton({ label, icon, choices, chosen, onChange, footer, counted = false }: Props) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const leave = (event: React.KeyboardEvent) => {
    if (event.key !== 'Escape' || !open) return;
    setOpen(false);
    button.current?.focus();
  };
  return (
    // It only hears keys that bubble up from the button and its options.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <span className="check" onKeyDown={leave}>
      <Popover
        open={open}
        onOpenChange={setOpen}
        trigger="click"
        placement="bottomLeft"
        arrow={false}
        destroyOnHidden
        // Beside its button, so that the Tab key goes from one to the other.
        getPopupContainer={(opener) => opener.parentElement ?? document.body}
        content={
          <>
            <Options label={label} choices={choices} chosen={chosen} onChange={onChange} />
            {footer}
          </>
        }
      >
        <Button ref={button} icon={icon} aria-haspopup="dialog" aria-expanded={open} className={counted && chosen.length > 0 ? 'check-button active' : 'check-button'}>
          {label}
          {counted && chosen.length > 0 && <Badge count={chosen.length} size="small" color="var(--ant-color-primary)" />}
          <DownOutlined className="soft" />
        </Button>
      </Popover>
    </span>
  );
}

function Options({ label, choices, chosen, onChange }: Pick<Props, 'label' | 'choices' | 'chosen' | 'onChange'>) {
  const { t } = useTranslation('apps');
  const { number } = useFormats();
  const [text, setText] = useState('');
  const found = choices.filter((choice) => plain(choice.text).includes(plain(text.trim())));
  const toggle = (value: string, on: boolean) => onChange(on ? [...chosen, value] : chosen.filter((one) => one !== value));
  return (
    <fieldset className="options">
      <legend className="unseen">{label}</legend>
      {choices.length > MANY && (
        <Input allowClear value={text} placeholder={t('find_option')} aria-label={t('find_option')} onChange={(event) => setText(event.target.value)} />
      )}
      <div className="options-list">
        {found.map(({ value, label: shown, count }) => (
          <Checkbox key={value} checked={chosen.includes(value)} onChange={(event) => toggle(value, event.target.checked)}>
            <span className="option">
              <span className="option-label">{shown}</span>
              {count !== undefined && <span className="soft">{number(count, 0)}</span>}
            </span>
          </Checkbox>
        ))}
        {found.length === 0 && <span className="soft">{t('no_options')}</span>}
      </div>
    </fieldset>
  );
}
