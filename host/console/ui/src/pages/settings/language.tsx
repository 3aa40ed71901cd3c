import { Select } from 'antd';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { FieldError } from '../../form/field';
import { languages } from '../../i18n';
import { Section } from './section';

interface Props {
  language: string | null;
  onChange: (language: string | null) => void;
  error: string | undefined;
}

/** The console's language for everybody who has chosen none. */
export function HostLanguage({ language, onChange, error }: Props) {
  const { t } = useTranslation('settings');
  const id = useId();
  // The API takes languages that this console does not have.
  const other = language && !(language in languages) ? [{ value: language, label: language }] : [];
  const known = Object.entries(languages).map(([value, { name }]) => ({ value, label: <span lang={value}>{name}</span> }));
  return (
    <Section title={t('language.title')} about={t('language.about')}>
      <div className="field" data-path="language">
        <label htmlFor={id} className="field-label">
          {t('language.label')}
        </label>
        <Select
          id={id}
          className="language-choice"
          value={language ?? ''}
          onChange={(value) => onChange(value || null)}
          options={[{ value: '', label: t('language.browser') }, ...known, ...other]}
        />
        <FieldError text={error} />
      </div>
    </Section>
  );
}
