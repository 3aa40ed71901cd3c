import { CaretRightOutlined, CloseOutlined, DeleteOutlined, PauseOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { useFormats } from '../../format';
import type { BatchDeed, Progress } from './use-batch';

interface Props {
  selected: number;
  /** How many of the selected ones the filters hide. */
  hidden: number;
  progress: Progress | undefined;
  onDeed: (deed: BatchDeed) => void;
  onCancel: () => void;
  onClear: () => void;
}

/** What can be done to the selected apps; while it is done, how far it is. */
export function BatchBar({ selected, hidden, progress, onDeed, onCancel, onClear }: Props) {
  const { t } = useTranslation('apps');
  if (progress) return <Running progress={progress} onCancel={onCancel} />;
  if (selected === 0) return null;
  return (
    <section className="batch-bar" aria-label={t('batch.label')}>
      <span>
        <strong>{t('batch.selected', { count: selected })}</strong>
        {hidden > 0 && <span className="soft"> {t('batch.hidden', { count: hidden })}</span>}
      </span>
      <Button icon={<CaretRightOutlined />} onClick={() => onDeed('start')}>
        {t('common:action.start')}
      </Button>
      <Button icon={<PauseOutlined />} onClick={() => onDeed('stop')}>
        {t('common:action.stop')}
      </Button>
      <Button danger icon={<DeleteOutlined />} onClick={() => onDeed('delete')}>
        {t('common:action.delete')}
      </Button>
      <span className="grow" />
      <Button type="text" icon={<CloseOutlined />} aria-label={t('batch.clear')} title={t('batch.clear')} onClick={onClear} />
    </section>
  );
}

function Running({ progress, onCancel }: { progress: Progress; onCancel: () => void }) {
  const { t } = useTranslation('apps');
  const { number } = useFormats();
  const { deed, all, ended, failed, cancelling } = progress;
  const texts = { ended: number(ended, 0), all: number(all, 0) };
  return (
    <section className="batch-bar" aria-label={t('batch.label')}>
      <span className="batch-progress">
        <span role="status">
          {t(`batch.doing.${deed}`, texts)}
          {failed > 0 && <span className="batch-failed"> {t('batch.failed_so_far', { count: failed })}</span>}
        </span>
        <progress value={ended} max={all} aria-label={t(`batch.doing.${deed}`, texts)} />
      </span>
      <Button onClick={onCancel} disabled={cancelling}>
        {t(cancelling ? 'batch.cancelling' : 'common:action.cancel')}
      </Button>
    </section>
  );
}
