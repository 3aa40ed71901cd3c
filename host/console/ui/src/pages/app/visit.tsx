import { DownOutlined, ExportOutlined } from '@ant-design/icons';
import { Button, Popover, Space, Tooltip } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AppAnswer } from '../../api/schema';
import { CopyButton } from '../../components/copy-button';
import { observations } from '../../components/observations';
import { inEnvironment } from '../../components/visit-url';

/** Opens the app by its most isolated address; the others, and those of single environments, are behind the arrow. */
export function Visit({ app }: { app: AppAnswer }) {
  const { t } = useTranslation();
  const [first] = app.urls;
  if (!first) {
    return (
      <Tooltip title={t('app:head.no_address')}>
        <Button icon={<ExportOutlined />} disabled>
          {t('action.visit')}
        </Button>
      </Tooltip>
    );
  }
  return (
    <Space.Compact>
      <Button type="primary" icon={<ExportOutlined />} href={first} target="_blank" rel="noreferrer">
        {t('action.visit')}
      </Button>
      <Addresses app={app} first={first} />
    </Space.Compact>
  );
}

/** All addresses, each to be opened or copied. */
function Addresses({ app, first }: { app: AppAnswer; first: string }) {
  const { t } = useTranslation('app');
  const [open, setOpen] = useState(false);
  const id = useId();
  const list = (
    <div id={id}>
      <ul className="addresses">
        {app.urls.map((url, index) => (
          <li key={url}>
            <a href={url} target="_blank" rel="noreferrer" dir="ltr">
              {url}
            </a>
            <CopyButton text={url} />
            {index === 0 && app.urls.length > 1 && <div className="soft">{t('head.most_isolated')}</div>}
          </li>
        ))}
      </ul>
      {app.environments.length > 1 && <Environments app={app} url={first} />}
    </div>
  );
  return (
    <Popover content={list} title={t('head.addresses')} trigger="click" placement="bottomRight" open={open} onOpenChange={setOpen}>
      <Button type="primary" icon={<DownOutlined />} aria-label={t('head.addresses')} aria-expanded={open} aria-controls={open ? id : undefined} />
    </Popover>
  );
}

/** The app in one environment of several: this browser is answered from there until it chooses another. */
function Environments({ app, url }: { app: AppAnswer; url: string }) {
  const { t } = useTranslation('app');
  return (
    <>
      <h2 className="addresses-in">{t('head.in_environment')}</h2>
      <ul className="addresses">
        {observations(app).map(({ environment, status }) => (
          <li key={environment}>
            <a href={inEnvironment(url, environment)} target="_blank" rel="noreferrer" aria-label={t('head.visit_in', { environment })}>
              <bdi>{environment}</bdi>
            </a>{' '}
            <span className="soft">{t(`common:status.${status}`)}</span>
            <CopyButton text={inEnvironment(url, environment)} />
          </li>
        ))}
      </ul>
    </>
  );
}
