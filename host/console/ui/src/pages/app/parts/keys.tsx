// The keys of an app's tokens, without their secrets, and a new one.
import { CheckCircleFilled, ClockCircleOutlined, SyncOutlined } from '@ant-design/icons';
import { Button, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useJwt } from '../../../api/form';
import type { AppAnswer, KeyInfo } from '../../../api/schema';
import { Copyable } from '../../../components/copy';
import { ProblemAlert } from '../../../components/problem';
import { useFormats } from '../../../format';
import './keys.css';
import { RotateKey } from './rotate-key';

export function Keys({ app }: { app: AppAnswer }) {
  const { t } = useTranslation('form');
  const jwt = useJwt(app.id, app.updated_at);
  const [rotating, setRotating] = useState(false);
  if (jwt.isPending) return <Skeleton active title={false} />;
  if (!jwt.data) return <ProblemAlert error={jwt.error} onRetry={() => void jwt.refetch()} />;
  const { keys, independent, algorithm } = jwt.data;
  return (
    <div className="keys">
      <div className="keys-head">
        <h3>{t('keys.title')}</h3>
        {independent && (
          <Button icon={<SyncOutlined />} onClick={() => setRotating(true)}>
            {t('keys.rotate')}
          </Button>
        )}
      </div>
      <ul>
        {keys.map((key) => (
          <Key key={key.kid} info={key} />
        ))}
      </ul>
      {!independent && <p className="field-help">{t('keys.shared_rotate')}</p>}
      {independent && algorithm !== 'HS256' && (
        <p className="field-help">
          {t('keys.public')} <Copyable text={`/.well-known/lodge/${app.id}/jwks.json`} />
        </p>
      )}
      {rotating && <RotateKey app={app} onClose={() => setRotating(false)} />}
    </div>
  );
}

function Key({ info }: { info: KeyInfo }) {
  const { t } = useTranslation('form');
  const { dateTime } = useFormats();
  const signs = info.retired_at == null;
  return (
    <li>
      <Copyable text={info.kid} />
      <span>{info.algorithm}</span>
      {info.shared && <span>{t('keys.shared')}</span>}
      <span className="key-state">
        {signs ? <CheckCircleFilled className="good" aria-hidden /> : <ClockCircleOutlined aria-hidden />}{' '}
        {info.retired_at == null ? t('keys.signs') : t('keys.verifies', { time: dateTime(info.retired_at) })}
      </span>
      <span className="soft">
        {t('keys.made', { time: dateTime(info.created_at) })}
      </span>
    </li>
  );
}
