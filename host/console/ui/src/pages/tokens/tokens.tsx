import { PlusOutlined } from '@ant-design/icons';
import { Button, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useTokens } from '../../api/tokens';
import { Teach } from '../../components/empty';
import { PageHeader } from '../../components/page-header';
import { ProblemAlert } from '../../components/problem';
import { TokenList } from './list';
import { NewTokenDialog } from './new-token';
import './tokens.css';

export function TokensPage() {
  const { t } = useTranslation('tokens');
  const tokens = useTokens();
  const [making, setMaking] = useState(false);
  const make = (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
      {t('make')}
    </Button>
  );
  return (
    <>
      <PageHeader title={t('title')} about={t('about')} actions={make} />
      {tokens.isError && <ProblemAlert error={tokens.error} onRetry={() => void tokens.refetch()} />}
      {tokens.isPending && <Skeleton active paragraph={{ rows: 5 }} />}
      {tokens.data?.length === 0 && <Teach title={t('empty')}>{t('empty_why')}</Teach>}
      {tokens.data && tokens.data.length > 0 && <TokenList tokens={tokens.data} />}
      {making && <NewTokenDialog onClose={() => setMaking(false)} />}
    </>
  );
}
