import { CloseCircleFilled, DownOutlined } from '@ant-design/icons';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import './form.css';
import type { PartSectionId } from './catalog';

interface Props {
  id: PartSectionId;
  children: ReactNode;
  /** Can be folded; then this is what it says while it is. */
  brief?: string;
  open?: boolean;
  onToggle?: () => void;
  wrong?: boolean;
}

/** A part of the form with its heading and what it is for. */
export function Section({ id, children, brief, open = true, onToggle, wrong }: Props) {
  const { t } = useTranslation('form');
  const body = useId();
  const title = t(`section.${id}.title`);
  return (
    <section className="form-section" id={`section-${id}`} aria-label={title}>
      <h2>
        {onToggle ? (
          <button type="button" className="fold" aria-expanded={open} aria-controls={body} onClick={onToggle}>
            <DownOutlined className="fold-arrow" aria-hidden />
            <span className="fold-title">{title}</span>
            {wrong && <CloseCircleFilled className="wrong" aria-label={t('wrong_here')} />}
            {!open && <span className="fold-brief">{brief}</span>}
          </button>
        ) : (
          title
        )}
      </h2>
      <div id={body} hidden={!open}>
        <p className="section-about">{t(`section.${id}.about`)}</p>
        {children}
      </div>
    </section>
  );
}
