import { CloseCircleFilled } from '@ant-design/icons';
import { Button, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { toProblem } from '../../api/problem';
import type { AppAnswer } from '../../api/schema';
import { count, type Outcome } from './batch';
import type { Report } from './use-batch';

interface Props {
  report: Report;
  onRetry: (apps: AppAnswer[]) => void;
  onClose: () => void;
}

/** What a batch did, what failed and why, and what it did not come to. */
export default function BatchReport({ report, onRetry, onClose }: Props) {
  const { t } = useTranslation('apps');
  const [open, setOpen] = useState(true);
  const { deed, results } = report;
  const rest = results.filter((one) => one.outcome !== 'done').map((one) => one.item);
  const failed = results.filter((one) => one.outcome === 'failed');
  const tell = (outcome: Outcome) => (count(results, outcome) > 0 ? <li>{t(`batch.count.${outcome}`, { count: count(results, outcome) })}</li> : null);
  const retry = () => {
    setOpen(false);
    onRetry(rest);
  };
  return (
    <Modal
      open={open}
      title={t(`batch.report.${deed}`)}
      onCancel={() => setOpen(false)}
      afterClose={onClose}
      width={560}
      footer={
        <>
          <Button onClick={retry}>{t('batch.retry', { count: rest.length })}</Button>
          <Button type="primary" onClick={() => setOpen(false)}>
            {t('common:action.close')}
          </Button>
        </>
      }
    >
      <ul className="batch-counts">
        {tell('done')}
        {tell('failed')}
        {tell('skipped')}
      </ul>
      {/* A long list scrolls, and must then be within reach of the keyboard: its links are. */}
      {failed.length > 0 && (
        <ul className="batch-failures">
          {failed.map(({ item, reason }) => (
            <li key={item.id}>
              <CloseCircleFilled aria-hidden />
              <div>
                <Link to={`/apps/${item.id}/logs`}>{item.display_name}</Link> <span className="soft">{item.id}</span>
                <div>{toProblem(reason).message}</div>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Modal>
  );
}
