import { Alert } from 'antd';
import { useTranslation } from 'react-i18next';
import type { MadeToken } from '../../api/schema';
import { CodeBlock } from '../../components/code-block';

/** A token's secret, which nothing shows again, and how to use it. */
export function TokenOnce({ made: { token } }: { made: MadeToken }) {
  const { t } = useTranslation('tokens');
  return (
    <div className="token-once">
      <Alert type="warning" showIcon title={t('once')} />
      <CodeBlock code={token} label={t('token')} />
      <h2>{t('use_cli')}</h2>
      <CodeBlock code={`export LODGE_URL=${location.origin}\nexport LODGE_TOKEN=${token}\nlodge app list`} label={t('use_cli')} />
      <h2>{t('use_curl')}</h2>
      <CodeBlock code={`curl -H 'Authorization: Bearer ${token}' \\\n  ${location.origin}/api/apps`} label={t('use_curl')} />
    </div>
  );
}
