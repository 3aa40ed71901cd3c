import { CheckCircleFilled, LoadingOutlined } from '@ant-design/icons';
import { Button, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { useFormContext } from '../context';
import { Field } from '../field';
import { slug } from '../logic/rules';
import type { IdCheck } from '../use-id-check';

export function NameField() {
  const { t } = useTranslation('form');
  const { draft, change } = useFormContext();
  const type = (name: string) => change(draft.id_typed ? { display_name: name } : { display_name: name, id: slug(name) });
  return (
    <Field path="display_name" label={t('name.label')} help={t('name.help')} required>
      {(input) => (
        <Input {...input} value={draft.display_name} maxLength={200} autoComplete="off" onChange={(event) => type(event.target.value)} />
      )}
    </Field>
  );
}

/** Only when adding: an ID never changes. */
export function IdField({ check }: { check: IdCheck }) {
  const { t } = useTranslation('form');
  const { draft, change, errorOf } = useFormContext();
  const follow = () => change({ id: slug(draft.display_name), id_typed: false });
  const state = errorOf('id') || draft.id === '' ? null : check.state;
  return (
    <Field
      path="id"
      label={t('id.label')}
      help={
        <>
          {t('id.help')}{' '}
          {draft.id_typed && draft.display_name !== '' && (
            <Button type="link" size="small" className="inline-link" onClick={follow}>
              {t('id.follow')}
            </Button>
          )}
        </>
      }
    >
      {(input) => (
        <Input
          {...input}
          dir="ltr"
          value={draft.id}
          placeholder={t('id.generated')}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => change({ id: event.target.value, id_typed: event.target.value !== '' })}
          suffix={
            <span role="status" className="id-state">
              {state === 'checking' && <LoadingOutlined aria-label={t('id.checking')} />}
              {state === 'free' && (
                <>
                  <CheckCircleFilled className="good" aria-hidden /> {t('id.free')}
                </>
              )}
            </span>
          }
        />
      )}
    </Field>
  );
}
