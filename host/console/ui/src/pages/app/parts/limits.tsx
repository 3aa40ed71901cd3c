import { useTranslation } from 'react-i18next';
import type { AppAnswer } from '../../../api/schema';
import { Part } from '../../../form/part';
import { Section } from '../../../form/section';
import { LimitFields } from '../../../form/sections/limits';

const FIELDS = ['limits'] as const;

/** What the app may use. */
export function LimitsPart({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('form');
  return (
    <Part app={app} fields={FIELDS}>
      <Section id="limits">
        <p className="note">{t('limits.at_once')}</p>
        <LimitFields />
      </Section>
    </Part>
  );
}
