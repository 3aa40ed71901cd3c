import { WarningFilled } from '@ant-design/icons';
import { Progress } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

/** Key figures: eight, or a few, beside each other where there is room. */
export function Figures({ label, few = false, children }: { label: string; few?: boolean; children: ReactNode }) {
  return (
    <dl className={few ? 'key-figures few' : 'key-figures'} aria-label={label}>
      {children}
    </dl>
  );
}

interface Props {
  name: string;
  value: ReactNode;
  /** What it is measured against, or more about it. */
  of?: ReactNode;
  /** The part of its limit that is used, 0 to 1, where there is one. */
  share?: number;
  /** True: it deserves attention. */
  bad?: boolean;
}

const NEARLY_FULL = 0.9;

export function Figure({ name, value, of, share, bad = false }: Props) {
  const { t } = useTranslation('app');
  const full = share !== undefined && share >= NEARLY_FULL;
  return (
    <div className="key-figure">
      <dt>{name}</dt>
      <dd>
        <span className="figure-value">
          <bdi>{value}</bdi>
          {(bad || full) && <WarningFilled className="figure-bad" aria-label={t(full ? 'figure.nearly_full' : 'figure.attention')} />}
        </span>
        {share !== undefined && (
          <Progress percent={Math.min(100, share * 100)} showInfo={false} size="small" status={full ? 'exception' : 'normal'} aria-hidden />
        )}
        {of && <span className="figure-of soft">{of}</span>}
      </dd>
    </div>
  );
}
