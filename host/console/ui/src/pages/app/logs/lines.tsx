import { ArrowDownOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { type KeyboardEvent, useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormats } from '../../../format';
import { Line } from './line';
import type { Row } from './tail';

interface Props {
  rows: Row[];
  /** Lines that wait because the reader paused. */
  held: number;
  search: string;
  wrap: boolean;
  onRequest: (request: string) => void;
}

/** Nearer to the end than this many pixels counts as being there. */
const NEAR = 24;

/** The lines. New ones are scrolled to, unless the reader has scrolled away from the end. */
export function LogLines({ rows, search, wrap, onRequest }: Props) {
  const { t } = useTranslation('app');
  const { day } = useFormats();
  const box = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  /** The newest line when the reader left the end. */
  const [seen, setSeen] = useState(0);
  const last = rows.at(-1)?.key ?? 0;
  const [current, setCurrent] = useState<number>();

  useLayoutEffect(() => {
    if (follows && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [rows, follows, wrap]);

  const scrolled = () => {
    const at = box.current;
    if (!at) return;
    const near = at.scrollHeight - at.scrollTop - at.clientHeight < NEAR;
    if (near !== follows) setFollows(near);
    if (near || follows) setSeen(last);
  };
  const unseen = follows ? 0 : rows.filter(({ key }) => key > seen).length;

  return (
    <div className="log-frame">
      {/* It scrolls by itself, and arrows go from line to line within it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        ref={box}
        role="log"
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        className={wrap ? 'log wrap' : 'log'}
        aria-label={t('logs.lines')}
        aria-live={follows ? 'polite' : 'off'}
        onScroll={scrolled}
        onKeyDown={moveBetweenLines}
        dir="ltr"
      >
        <ol>
          {rows.map(({ key, line }, index) => (
            <Line
              key={key}
              id={key}
              line={line}
              day={isNewDay(rows, index) ? day(line.time) : undefined}
              search={search}
              current={key === current}
              onCurrent={setCurrent}
              onRequest={onRequest}
            />
          ))}
        </ol>
      </div>
      {!follows && (
        <Button type="primary" className="log-newest" icon={<ArrowDownOutlined />} onClick={() => setFollows(true)}>
          {unseen > 0 ? t('logs.new_lines', { count: unseen }) : t('logs.newest')}
        </Button>
      )}
    </div>
  );
}

/** Lines of another day than the one before are set apart; of the first, only if it is not today's. */
function isNewDay(rows: Row[], index: number): boolean {
  const [before, here] = [rows[index - 1]?.line.time ?? Date.now(), rows[index]?.line.time ?? 0];
  return Math.abs(here - before) > 86_400_000 || new Date(before).getDate() !== new Date(here).getDate();
}

/** With the log focused, arrows go from line to line; Tab then reaches what can be done with the line. */
function moveBetweenLines(event: KeyboardEvent<HTMLDivElement>) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step) return;
  const lines = [...event.currentTarget.querySelectorAll<HTMLElement>('.log-line')];
  const here = lines.findIndex((line) => line.contains(document.activeElement));
  const next = here < 0 ? lines.at(-1) : lines[here + step];
  next?.focus();
  event.preventDefault();
}
