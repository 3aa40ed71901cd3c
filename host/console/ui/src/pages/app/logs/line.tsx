import { BugOutlined, CloseCircleFilled, CopyOutlined, InfoCircleOutlined, WarningFilled } from '@ant-design/icons';
import { App } from 'antd';
import { memo, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { fieldsText } from '../../../api/logs';
import type { LogLevel, LogLine } from '../../../api/schema';
import { useFormats } from '../../../format';
import { copyText } from './copy-text';
import { pieces, plain } from './text';

const ICON: Record<LogLevel, ReactNode> = {
  debug: <BugOutlined />,
  info: <InfoCircleOutlined />,
  warn: <WarningFilled />,
  error: <CloseCircleFilled />,
};

interface Props {
  id: number;
  line: LogLine;
  /** The date, where the line is the first of its day. */
  day?: string;
  search: string;
  /** True: Tab reaches what can be done with it. */
  current: boolean;
  onCurrent: (id: number) => void;
  onRequest: (request: string) => void;
}

/** One line. There are thousands: plain elements, drawn once. */
export const Line = memo(function Line({ id, line, day, search, current, onCurrent, onRequest }: Props) {
  const { t } = useTranslation('app');
  const { time } = useFormats();
  const { message } = App.useApp();
  const exact = new Date(line.time).toISOString();
  const text = plain(line.message);
  const fields = plain(fieldsText(line));
  const copy = async () => {
    const done = await copyText(`${exact} ${line.level.toUpperCase()} ${line.source}${line.request ? ` [${line.request}]` : ''} ${[text, fields].filter(Boolean).join(' ')}`);
    void (done ? message.success(t('common:action.copied')) : message.error(t('logs.copy_failed')));
  };
  const tab = current ? 0 : -1;
  return (
    <>
      {day && <li className="log-day">{day}</li>}
      <li className={`log-line level-${line.level}`} tabIndex={-1} onFocus={() => onCurrent(id)}>
        <time dateTime={exact} title={exact}>
          {time(line.time, true)}
        </time>
        <span className="log-level">
          {ICON[line.level]} {t(`logs.level_${line.level}`)}
        </span>
        <span className="log-source">{t(`logs.source_${line.source}_short`)}</span>
        <span className="log-text">
          {line.request && (
            <button type="button" className="log-request" tabIndex={tab} title={t('logs.show_request')} onClick={() => onRequest(line.request ?? '')}>
              {line.request}
            </button>
          )}
          <Text text={text} search={search} />
          {fields && (
            <small className="log-fields">
              {text && ' '}
              <Text text={fields} search={search} />
            </small>
          )}
        </span>
        <button type="button" className="log-copy" tabIndex={tab} aria-label={t('logs.copy')} onClick={() => void copy()}>
          <CopyOutlined />
        </button>
      </li>
    </>
  );
});

function Text({ text, search }: { text: string; search: string }) {
  return pieces(text, search).map((piece, index) => (piece.found ? <mark key={index}>{piece.text}</mark> : <span key={index}>{piece.text}</span>));
}
