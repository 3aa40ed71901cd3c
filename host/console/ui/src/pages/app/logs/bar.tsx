import { DownloadOutlined, PauseOutlined, PlayCircleOutlined } from '@ant-design/icons';
import { Badge, Button, Checkbox, Input, Select, Tag } from 'antd';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { downloadPath } from '../../../api/logs';
import type { AppAnswer } from '../../../api/schema';
import type { Tail } from './tail';
import { LEVELS, SOURCES, type View } from './use-filter';
import type { Log } from './use-log';

interface Props extends Pick<Log, 'tail' | 'dispatch' | 'link'> {
  app: AppAnswer;
  view: View;
  change: (next: Partial<View>) => void;
}

/** Which lines, how, and whether new ones are shown. */
export function LogBar({ app, view, change, tail, dispatch, link }: Props) {
  const { t } = useTranslation('app');
  const search = useCallback((text: string) => change({ search: text }), [change]);
  const levels = LEVELS.map((value) => ({ value, label: t(value === 'debug' ? 'logs.all_levels' : `logs.at_least_${value}`) }));
  const sources = SOURCES.map((value) => ({ value, label: t(`logs.source_${value}`) }));
  return (
    <div className="log-bar">
      <Search value={view.search ?? ''} onSearch={search} />
      <Select aria-label={t('logs.level')} className="log-select" value={view.level ?? 'debug'} options={levels} onChange={(level) => change({ level: level === 'debug' ? undefined : level })} />
      <Select
        aria-label={t('logs.source')}
        className="log-select"
        value={view.source ?? ''}
        options={[{ value: '', label: t('logs.all_sources') }, ...sources]}
        onChange={(source) => change({ source: SOURCES.find((one) => one === source) })}
      />
      {view.request && (
        <Tag className="log-request-filter" closable={{ 'aria-label': t('logs.all_requests') }} onClose={() => change({ request: undefined })}>
          {t('logs.of_request', { request: view.request })}
        </Tag>
      )}
      <Checkbox checked={view.wrap} onChange={(event) => change({ wrap: event.target.checked })}>
        {t('logs.wrap')}
      </Checkbox>
      <div className="log-bar-end">
        <Link link={link} paused={tail.paused} />
        <Pause tail={tail} dispatch={dispatch} />
        <Button icon={<DownloadOutlined />} href={downloadPath(app.id)} download={`${app.id}.log`} title={t('logs.download_why')}>
          {t('logs.download')}
        </Button>
      </div>
    </div>
  );
}

const TYPING_MS = 350;
/** What the host takes. */
const LONGEST_SEARCH = 200;

/** Searches a moment after the last key, or at once on Enter. */
function Search({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const { t } = useTranslation('app');
  const [text, setText] = useState(value);
  const [asked, setAsked] = useState(value);
  // Back, or a link, has asked for another search than what was typed.
  if (value !== asked) {
    setAsked(value);
    setText(value);
  }
  const ask = useCallback(
    (next: string) => {
      setAsked(next);
      onSearch(next);
    },
    [onSearch],
  );
  useEffect(() => {
    if (text === asked) return;
    const timer = setTimeout(() => ask(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, asked, ask]);
  return (
    <Input.Search
      className="log-search"
      aria-label={t('logs.search')}
      placeholder={t('logs.search')}
      allowClear
      maxLength={LONGEST_SEARCH}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onSearch={ask}
    />
  );
}

function Link({ link, paused }: { link: Log['link']; paused: boolean }) {
  const { t } = useTranslation('app');
  if (!link) return null;
  const state = paused ? 'paused' : link;
  return <Badge status={state === 'live' ? 'success' : 'warning'} text={t(`logs.${state}`)} />;
}

function Pause({ tail, dispatch }: { tail: Tail; dispatch: Props['dispatch'] }) {
  const { t } = useTranslation('app');
  const { paused, held } = tail;
  return (
    <Button icon={paused ? <PlayCircleOutlined /> : <PauseOutlined />} onClick={() => dispatch({ type: paused ? 'resume' : 'pause' })}>
      {paused ? (held.length > 0 ? t('logs.resume_with', { count: held.length }) : t('logs.resume')) : t('logs.pause')}
    </Button>
  );
}
