import { useTranslation } from 'react-i18next';
import type { AppAnswer } from '../../../api/schema';
import { Copyable } from '../../../components/copy';
import { Part } from '../../../form/part';
import { Section } from '../../../form/section';
import { DatabaseFields } from '../../../form/sections/database';
import { NameField } from '../../../form/sections/general';
import { TagField } from '../../../form/sections/network';
import { StartFields } from '../../../form/sections/start';
import { TokenFields, UpgradeField } from '../../../form/sections/tokens';
import { Keys } from './keys';

const FIELDS = ['display_name', 'start_mode', 'placement', 'environments', 'failover', 'database', 'auto_upgrade', 'jwt', 'tags'] as const;

/** The general settings. */
export function SettingsPart({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('form');
  return (
    <Part app={app} fields={FIELDS}>
      <Section id="general">
        <NameField />
        <div className="field">
          <div className="field-label">{t('id.label')}</div>
          <Copyable text={app.id} />
          <div className="field-help">{t('id.fixed')}</div>
        </div>
        <TagField />
      </Section>
      <Section id="start">
        <StartFields />
      </Section>
      <Section id="database">
        <DatabaseFields />
      </Section>
      <Section id="upgrade">
        <UpgradeField />
      </Section>
      <Section id="tokens">
        <TokenFields />
        <Keys app={app} />
      </Section>
    </Part>
  );
}
