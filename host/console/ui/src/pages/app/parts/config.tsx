import { useTranslation } from 'react-i18next';
import type { AppAnswer } from '../../../api/schema';
import { Part } from '../../../form/part';
import { Section } from '../../../form/section';
import { ConfigFields } from '../../../form/sections/config';

const FIELDS = ['config'] as const;

/** The app's configuration and secrets. */
export function ConfigPart({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('form');
  return (
    <Part app={app} fields={FIELDS}>
      <Section id="config">
        <p className="note">{t('config.rules')}</p>
        <ConfigFields />
      </Section>
    </Part>
  );
}
