import { Alert, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { toProblem } from '../api/problem';

/** What went wrong, what the host says to do, and a reference for its log. */
export function ProblemAlert({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const problem = toProblem(error);
  const unreachable = problem.code === 'unreachable';
  return (
    <Alert
      type="error"
      showIcon
      className="problem"
      title={t(unreachable ? 'problem.unreachable' : 'problem.title')}
      description={
        <>
          <div>{unreachable ? t('problem.unreachable_why') : problem.message}</div>
          {problem.reference && <div className="soft">{t('problem.reference', { reference: problem.reference })}</div>}
        </>
      }
      action={onRetry && <Button onClick={onRetry}>{t('action.retry')}</Button>}
    />
  );
}
