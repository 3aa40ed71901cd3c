import { WarningFilled } from '@ant-design/icons';
import type { ReactNode } from 'react';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import './meter.css';

interface Props {
  label: ReactNode;
  /** Both amounts in words, such as "1.2 of 4 cores". */
  text: string;
  /** How much of it is used, 0 to 1. */
  share: number;
}

const NEARLY = 0.9;

/** How much of something is used: in words, and as a bar. */
export function Meter({ label, text, share }: Props) {
  const { t } = useTranslation();
  const id = useId();
  const used = Math.min(1, Math.max(0, share));
  const nearly = used >= NEARLY;
  return (
    <div className="meter">
      <div className="meter-words">
        <span id={id}>{label}</span>
        <span className="soft">
          {nearly && (
            <span className="meter-nearly">
              <WarningFilled /> {t('meter.nearly_full')}
            </span>
          )}
          {text}
        </span>
      </div>
      <div
        role="meter"
        className={nearly ? 'meter-bar nearly' : 'meter-bar'}
        aria-labelledby={id}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(used * 100)}
        aria-valuetext={text}
      >
        <div style={{ inlineSize: `${used * 100}%` }} />
      </div>
    </div>
  );
}
