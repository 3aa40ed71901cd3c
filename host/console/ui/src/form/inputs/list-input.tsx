import { CloseCircleFilled } from '@ant-design/icons';
import { Select, Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import { useFormContext } from '../context';
import { Field, FieldError } from '../field';

interface Props {
  path: 'domains' | 'outbound_hosts' | 'tags';
  label: string;
  help?: string;
  placeholder?: string;
  /** Made of what is typed: lower case, say. */
  clean?: (text: string) => string;
  separators?: string[];
}

/** Several short texts; each is checked by itself, and shown as wrong by itself. */
export function ListInput({ path, label, help, placeholder, clean = (text) => text.trim(), separators = [',', ' ', '\n', ';'] }: Props) {
  const { t } = useTranslation('form');
  const { draft, change, errorOf } = useFormContext();
  const items = draft[path];
  const wrong = items.map((item, index) => ({ item, text: errorOf(`${path}[${index}]`) })).filter((one) => one.text);
  const set = (next: string[]) => change({ [path]: [...new Set(next.map(clean).filter(Boolean))] });
  return (
    <Field path={path} label={label} help={help}>
      {(input) => (
        <>
          <Select
            {...input}
            mode="tags"
            open={false}
            suffixIcon={null}
            className="list-input"
            classNames={{ root: path === 'tags' ? undefined : 'left-to-right' }}
            status={wrong.length > 0 ? 'error' : input.status}
            placeholder={placeholder}
            value={items}
            tokenSeparators={separators}
            onChange={set}
            tagRender={({ value, onClose }) => {
              const bad = wrong.some((one) => one.item === value);
              return (
                <Tag closable onClose={onClose} color={bad ? 'error' : undefined} icon={bad ? <CloseCircleFilled aria-label={t('wrong_here')} /> : undefined} className="list-item">
                  <bdi dir={path === 'tags' ? 'auto' : 'ltr'}>{value}</bdi>
                </Tag>
              );
            }}
          />
          {wrong.map(({ item, text }) => (
            <FieldError key={item} text={text?.includes(item) ? text : t('wrong_item', { item, text })} />
          ))}
        </>
      )}
    </Field>
  );
}
