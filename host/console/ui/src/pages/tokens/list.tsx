import { CloseCircleFilled, WarningFilled } from '@ant-design/icons';
import { App, Button, Grid, Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import { toProblem } from '../../api/problem';
import type { TokenInfo } from '../../api/schema';
import { removeToken } from '../../api/tokens';
import { Copyable } from '../../components/copy';
import { Time } from '../../components/time';
import { endsSoon, hasEnded } from './expiry';

export function TokenList({ tokens }: { tokens: readonly TokenInfo[] }) {
  const { t } = useTranslation('tokens');
  const screens = Grid.useBreakpoint();
  if (!screens.lg) {
    return (
      <ul className="listing-cards">
        {tokens.map((token) => (
          <li key={token.id} className="listing-card">
            <div className="listing-head">
              <strong>{token.name}</strong>
              <Revoke token={token} />
            </div>
            <div>
              <Copyable text={token.id} />
            </div>
            <div className="soft">
              {t('column.made')}: <Time ms={token.created_at} />
            </div>
            <div className="soft">
              {t('column.ends')}: <Ends token={token} />
            </div>
            <div className="soft">
              {t('column.used')}: <Used token={token} />
            </div>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <table className="listing">
      <thead>
        <tr>
          {(['name', 'id', 'made', 'ends', 'used'] as const).map((column) => (
            <th key={column} scope="col">
              {t(`column.${column}`)}
            </th>
          ))}
          <th scope="col">
            <span className="unseen">{t('column.actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map((token) => (
          <tr key={token.id}>
            <th scope="row" className="token-name">
              {token.name}
            </th>
            <td>
              <Copyable text={token.id} />
            </td>
            <td>
              <Time ms={token.created_at} />
            </td>
            <td>
              <Ends token={token} />
            </td>
            <td>
              <Used token={token} />
            </td>
            <td className="actions">
              <Revoke token={token} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Ends({ token: { expires_at } }: { token: TokenInfo }) {
  const { t } = useTranslation('tokens');
  if (!expires_at) return t('common:state.never');
  return (
    <span className="token-ends">
      <Time ms={expires_at} />
      {hasEnded(expires_at) && (
        <Tag color="error" icon={<CloseCircleFilled />}>
          {t('ended')}
        </Tag>
      )}
      {endsSoon(expires_at) && (
        <Tag color="warning" icon={<WarningFilled />}>
          {t('ends_soon')}
        </Tag>
      )}
    </span>
  );
}

function Used({ token: { last_used } }: { token: TokenInfo }) {
  const { t } = useTranslation('tokens');
  return last_used ? <Time ms={last_used} /> : t('common:state.never');
}

function Revoke({ token: { id, name } }: { token: TokenInfo }) {
  const { t } = useTranslation('tokens');
  const { modal, message } = App.useApp();
  const revoke = async () => {
    try {
      await removeToken(id);
      void message.success(t('revoked', { name }));
    } catch (error) {
      modal.error({ title: t('common:problem.title'), content: toProblem(error).message });
    }
  };
  const ask = () =>
    modal.confirm({
      title: t('revoke_title', { name }),
      content: t('revoke_why'),
      okText: t('revoke'),
      okButtonProps: { danger: true },
      onOk: revoke,
    });
  return (
    <Button danger type="text" onClick={ask} aria-label={t('revoke_one', { name })}>
      {t('revoke')}
    </Button>
  );
}
