import { DeleteOutlined } from '@ant-design/icons';
import { Button, Card } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import type { AppAnswer } from '../../api/schema';
import { DeleteAppDialog } from '../../components/app-actions';

export function DangerPart({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('app');
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  return (
    <Card className="danger-zone">
      <div className="danger-row">
        <div>
          <h2>{t('danger.title')}</h2>
          <p className="soft">{t('danger.why')}</p>
        </div>
        <Button danger icon={<DeleteOutlined />} onClick={() => setAsking(true)}>
          {t('danger.delete')}
        </Button>
      </div>
      {asking && <DeleteAppDialog app={app} onClose={() => setAsking(false)} onDeleted={() => void navigate('/apps')} />}
    </Card>
  );
}
