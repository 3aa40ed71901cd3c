// What stands in the table's cells and on the cards.
import { HourglassOutlined, WarningFilled } from '@ant-design/icons';
import { Button, Tag, Tooltip } from 'antd';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { AppAnswer, AppUsage } from '../../api/schema';
import { AppAvatar } from '../../components/app-avatar';
import { CopyButton } from '../../components/copy-button';
import { observations } from '../../components/observations';
import { Statuses } from '../../components/status';
import { useFormats } from '../../format';
import { isNearlyFull, isThrottled, memoryShare } from './select';

interface Of {
  app: AppAnswer;
}
interface WithUsage extends Of {
  /** Undefined: it does nothing at the moment; null: not known. */
  usage: AppUsage | undefined | null;
}

export const NameCell = memo(function NameCell({ app }: Of) {
  return (
    <div className="app-name">
      <AppAvatar id={app.id} name={app.display_name} />
      <div className="app-name-text">
        <Link to={`/apps/${app.id}`} className="app-title" title={app.display_name}>
          {app.display_name}
        </Link>
        <div className="app-id soft">
          <span dir="ltr" title={app.id}>{app.id}</span>
          <CopyButton text={app.id} />
        </div>
      </div>
    </div>
  );
});

export const StatusCell = memo(function StatusCell({ app, usage }: WithUsage) {
  const failure = observations(app).find((one) => one.status === 'failed' && one.message);
  return (
    <div className="app-status">
      <Statuses app={app} />
      {isThrottled(usage ?? undefined) && <Throttled share={usage?.throttled ?? 0} />}
      {failure && (
        <Tooltip title={failure.message} trigger={['hover', 'focus']}>
          <Link to={`/apps/${app.id}/logs`} className="app-failure" dir="auto">
            {failure.message}
          </Link>
        </Tooltip>
      )}
    </div>
  );
});

function Throttled({ share }: { share: number }) {
  const { t } = useTranslation('apps');
  const { percent } = useFormats();
  return (
    <Tooltip title={t('throttled_why', { share: percent(share, 0) })}>
      <Tag color="warning" icon={<HourglassOutlined />} className="status">
        {t('throttled')}
      </Tag>
    </Tooltip>
  );
}

export const ComponentCell = memo(function ComponentCell({ app }: Of) {
  const { name, version, digest } = app.component;
  return (
    <div className="two-lines">
      <Link to={`/components/${digest}`} dir="ltr" title={name}>
        {name}
      </Link>
      <span className="soft" dir="ltr" title={version}>
        {version}
      </span>
    </div>
  );
});

/** A figure of the app's usage. */
export function Figure({ usage, of }: Pick<WithUsage, 'usage'> & { of: 'requests_per_minute' | 'cpu_cores' }) {
  const { number, cores } = useFormats();
  if (usage === null) return <NotKnown />;
  const value = usage?.[of] ?? 0;
  return <span className={value === 0 ? 'figure soft' : 'figure'}>{of === 'cpu_cores' ? cores(value) : number(value, 0)}</span>;
}

function NotKnown() {
  const { t } = useTranslation('apps');
  return (
    <span className="soft">
      <span aria-hidden>–</span>
      <span className="unseen">{t('not_known')}</span>
    </span>
  );
}

export const MemoryCell = memo(function MemoryCell({ app, usage }: WithUsage) {
  const { t } = useTranslation('apps');
  const { bytes } = useFormats();
  if (usage === null) return <NotKnown />;
  const share = memoryShare(app, usage);
  const full = isNearlyFull(share);
  const texts = { used: bytes(usage?.memory_bytes ?? 0), budget: bytes(app.limits.memory_bytes ?? 0) };
  return (
    <div className={full ? 'memory nearly-full' : 'memory'}>
      <span className={usage ? 'figure' : 'figure soft'}>
        {full && (
          <Tooltip title={t('nearly_full')}>
            <WarningFilled role="img" aria-label={t('nearly_full')} />
          </Tooltip>
        )}
        {t('memory_of', texts)}
      </span>
      <span className="bar" aria-hidden>
        <span style={{ inlineSize: `${Math.min(share, 1) * 100}%` }} />
      </span>
    </div>
  );
});

export const DomainsCell = memo(function DomainsCell({ app }: Of) {
  const { t } = useTranslation('apps');
  const [first, ...more] = app.domains;
  if (!first) return null;
  return (
    <div className="domains">
      <span dir="ltr" title={first}>{first}</span>
      {more.length > 0 && (
        <Tooltip title={more.map((domain) => <div key={domain}>{domain}</div>)} trigger={['hover', 'focus', 'click']}>
          <Button type="text" size="small" aria-label={t('more_domains', { count: more.length })}>
            +{more.length}
          </Button>
        </Tooltip>
      )}
    </div>
  );
});

export const TagsCell = memo(function TagsCell({ tags, onChoose }: { tags: string[]; onChoose: (tag: string) => void }) {
  const { t } = useTranslation('apps');
  return (
    <div className="tags">
      {tags.map((tag) => (
        <Tooltip key={tag} title={t('only_tag', { tag })} trigger={['hover', 'focus']}>
          <button type="button" className="tag-button" onClick={() => onChoose(tag)}>
            {tag}
          </button>
        </Tooltip>
      ))}
    </div>
  );
});
