import { useTranslation } from 'react-i18next';
import type { PathAccess } from '../../api/schema';
import { Choice } from '../choice';
import { useFormContext } from '../context';
import { ListInput } from '../inputs/list-input';

const lower = (text: string) => text.trim().toLowerCase().replace(/\.$/, '');

export function DomainField() {
  const { t } = useTranslation('form');
  return <ListInput path="domains" label={t('domains.label')} help={t('domains.help')} placeholder="shop.example.com" clean={lower} />;
}

export function PathAccessField() {
  const { t } = useTranslation('form');
  const { draft, change } = useFormContext();
  const path = `/apps/${draft.id || 'ID'}/`;
  return (
    <Choice<PathAccess>
      path="path_access"
      label={t('path.label', { path })}
      value={draft.path_access}
      onChange={(path_access) => change({ path_access })}
      options={(['serve', 'redirect', 'off'] as const).map((value) => ({ value, label: t(`path.${value}`), help: t(`path.${value}_help`) }))}
    />
  );
}

const EXAMPLES = ['api.example.com', '*.example.org', 'api.example.com:8443', '10.0.0.5:8080', '[2001:db8::1]', 'shop.lodge.internal'];

export function HostField() {
  const { t } = useTranslation('form');
  return (
    <>
      <ListInput path="outbound_hosts" label={t('hosts.label')} help={t('hosts.help')} placeholder="api.example.com" clean={lower} />
      <dl className="examples">
        {EXAMPLES.map((example, index) => (
          <div key={example}>
            <dt>
              <code dir="ltr">{example}</code>
            </dt>
            <dd>{t(`hosts.example_${index + 1}`)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

export function TagField() {
  const { t } = useTranslation('form');
  return <ListInput path="tags" label={t('tags.label')} help={t('tags.help')} separators={[',', '\n']} />;
}
