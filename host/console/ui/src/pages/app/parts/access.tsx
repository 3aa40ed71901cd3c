import type { AppAnswer } from '../../../api/schema';
import { Part } from '../../../form/part';
import { Section } from '../../../form/section';
import { DomainField, HostField, PathAccessField } from '../../../form/sections/network';
import { SourceFields } from '../../../form/sections/sources';

const FIELDS = ['domains', 'path_access', 'outbound_hosts', 'data_sources'] as const;

/** Who reaches the app, and what it reaches. */
export function AccessPart({ app }: { app: AppAnswer }) {
  return (
    <Part app={app} fields={FIELDS}>
      <Section id="domains">
        <DomainField />
        <PathAccessField />
      </Section>
      <Section id="hosts">
        <HostField />
      </Section>
      <Section id="sources">
        <SourceFields />
      </Section>
    </Part>
  );
}
