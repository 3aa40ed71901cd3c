import { ApiOutlined, CheckCircleFilled, CloseCircleFilled } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { testDatabase } from '../../api/form';
import { toProblem } from '../../api/problem';
import { useFormats } from '../../format';
import { useFormContext } from '../context';
import { checkDatabaseUrl, checkId } from '../logic/rules';
import { ENGINE } from './database';

/** Tries the database as it is typed; nothing is changed by it. */
export function TestDatabase() {
  const { t } = useTranslation('form');
  const { duration } = useFormats();
  const { draft, app } = useFormContext();
  const { kind, engine, url } = draft.database;
  const test = useMutation({
    mutationFn: () => {
      const id = app?.id ?? (checkId(draft.id) === null ? draft.id : '');
      return testDatabase({ app: id || undefined, database: { kind, engine: engine ?? undefined, url: url || undefined } });
    },
  });
  const worth = kind !== 'new_connection' || url === null || checkDatabaseUrl(url) === null;
  return (
    <div className="test-database">
      <Button icon={<ApiOutlined />} loading={test.isPending} disabled={!worth} onClick={() => test.mutate()}>
        {t('database.test')}
      </Button>
      <span role="status" className="test-result">
        {test.data && (
          <>
            <CheckCircleFilled className="good" aria-hidden />{' '}
            {t('database.tested', { engine: ENGINE[test.data.engine], version: test.data.version, time: duration(test.data.elapsed_ms) })}
          </>
        )}
        {test.error && (
          <>
            <CloseCircleFilled className="wrong" aria-hidden /> {toProblem(test.error).message}
          </>
        )}
      </span>
    </div>
  );
}
