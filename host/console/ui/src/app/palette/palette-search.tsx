// A combobox over a listbox, as the ARIA Authoring Practices have it: the focus stays in the field, the keys move the
// chosen option.
import { SearchOutlined } from '@ant-design/icons';
import { Input } from 'antd';
import { useDeferredValue, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Command, useCommands } from './commands';
import { find, type Found } from './find';

const PAGE = 8;

interface Props {
  /** Called when something was chosen, before it is done. */
  onEnd: (leaves: boolean) => void;
  onShortcuts: () => void;
}

export function PaletteSearch({ onEnd, onShortcuts }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const commands = useCommands(onShortcuts);
  const asked = useDeferredValue(text);
  const found = useMemo(() => find(asked, commands), [asked, commands]);
  const active = Math.min(chosen, Math.max(found.length - 1, 0));
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [active, found]);

  const run = (command: Command) => {
    // The list of shortcuts takes this one's place.
    if (command.key !== 'shortcuts') onEnd(command.leaves ?? false);
    command.run();
  };
  const press = (event: React.KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE }[event.key];
    const command = found[active]?.command;
    if (event.key === 'Enter' && command) run(command);
    else if (step !== undefined && found.length > 0) setChosen(stepped(active, step, found.length));
    else return;
    event.preventDefault();
  };
  return (
    <>
      <Input
        autoFocus
        size="large"
        variant="borderless"
        prefix={<SearchOutlined className="soft" />}
        placeholder={t('palette.placeholder')}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setChosen(0);
        }}
        onKeyDown={press}
        role="combobox"
        aria-label={t('palette.placeholder')}
        aria-expanded={found.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={found.length > 0 ? `${id}-${active}` : undefined}
        autoComplete="off"
        spellCheck={false}
      />
      <ul className="palette-list" role="listbox" id={`${id}-list`} aria-label={t('palette.results')} ref={list}>
        {found.map((one, index) => (
          <Option key={one.command.key} id={`${id}-${index}`} found={one} active={index === active} onPoint={() => setChosen(index)} onRun={run} />
        ))}
      </ul>
      <div className="palette-foot soft">
        <span role="status">{found.length > 0 ? t('palette.found', { count: found.length }) : t('palette.nothing')}</span>
        <span aria-hidden>
          <kbd>↑</kbd> <kbd>↓</kbd> {t('palette.choose')} <kbd>↵</kbd> {t('palette.open')} <kbd>Esc</kbd> {t('action.close')}
        </span>
      </div>
    </>
  );
}

/** One step goes round; a page does not. */
function stepped(active: number, step: number, length: number): number {
  if (Math.abs(step) === 1) return (active + step + length) % length;
  return Math.min(Math.max(active + step, 0), length - 1);
}

interface OptionProps {
  id: string;
  found: Found<Command>;
  active: boolean;
  onPoint: () => void;
  onRun: (command: Command) => void;
}

function Option({ id, found: { command, at }, active, onPoint, onRun }: OptionProps) {
  const { t } = useTranslation();
  return (
    // The keys are the field's.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events
    <li id={id} role="option" aria-selected={active} className="palette-option" onMouseMove={onPoint} onClick={() => onRun(command)}>
      <span className="palette-icon" aria-hidden>
        {command.icon}
      </span>
      <span className="palette-title">
        <Marked text={command.title} at={at} />
        {command.detail && <span className="soft"> {command.detail}</span>}
      </span>
      {command.shortcut && <Keys keys={command.shortcut} />}
      <span className="soft palette-kind">{t(`palette.kind.${command.kind}`)}</span>
    </li>
  );
}

function Marked({ text, at }: { text: string; at: number[] }) {
  const marked = new Set(at);
  const parts: { text: string; on: boolean }[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const on = marked.has(index);
    const last = parts.at(-1);
    if (last && last.on === on) last.text += text[index];
    else parts.push({ text: text[index] ?? '', on });
  }
  return parts.map((part, index) => (part.on ? <b key={index}>{part.text}</b> : part.text));
}

/** Keys to press one after the other. */
export function Keys({ keys }: { keys: string }) {
  return (
    <span className="keys">
      {keys.split(' ').map((key, index) => (
        <kbd key={index}>{key}</kbd>
      ))}
    </span>
  );
}
