import { useQueryClient } from '@tanstack/react-query';
import { Alert, App, Modal, Select } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { rotateKey } from '../../../api/form';
import { keys } from '../../../api/queries';
import type { AppAnswer } from '../../../api/schema';
import { ProblemAlert } from '../../../components/problem';
import { useFormats } from '../../../format';

/** Seconds for which tokens of the old keys go on being good; a day is what the host would take. */
const OVERLAPS = [0, 3_600, 86_400, 7 * 86_400, 30 * 86_400, 90 * 86_400];

export function RotateKey({ app, onClose }: { app: AppAnswer; onClose: () => void }) {
  const { t } = useTranslation('form');
  const { duration } = useFormats();
  const { message, notification } = App.useApp();
  const client = useQueryClient();
  const [overlap, setOverlap] = useState(86_400);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const id = useId();
  const rotate = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const operation = await rotateKey(app.id, overlap);
      await client.invalidateQueries({ queryKey: keys.appPart(app.id, 'jwt') });
      // The new key is there in any case; the operation is the app's restart with it.
      if (operation.status === 'failed') notification.warning({ title: t('keys.not_restarted'), description: operation.error });
      else void message.success(t('keys.rotated'));
      onClose();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const words = (seconds: number) => (seconds === 0 ? t('keys.at_once') : duration(seconds * 1_000));
  return (
    <Modal
      open
      title={t('keys.rotate_title')}
      onCancel={onClose}
      onOk={() => void rotate()}
      okText={t('keys.rotate')}
      cancelText={t('common:action.cancel')}
      okButtonProps={{ danger: overlap === 0 }}
      confirmLoading={busy}
      width={480}
    >
      <p>{t('keys.rotate_why')}</p>
      <div className="field">
        <label className="field-label" htmlFor={id}>
          {t('keys.overlap')}
        </label>
        <Select id={id} className="wide" value={overlap} onChange={setOverlap} options={OVERLAPS.map((value) => ({ value, label: words(value) }))} />
      </div>
      {overlap === 0 && <Alert type="warning" showIcon title={t('keys.logs_out')} />}
      {problem !== undefined && <ProblemAlert error={problem} />}
    </Modal>
  );
}
