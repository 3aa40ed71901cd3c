import { DownOutlined, ExportOutlined } from '@ant-design/icons';
import { Button, Popover, Space, Tooltip } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../../components/copy-button';

/** Opens the app by its most isolated address; the others are behind the arrow. */
export function Visit({ urls }: { urls: string[] }) {
  const { t } = useTranslation();
  const [first] = urls;
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
      <Addresses urls={urls} />
    </Space.Compact>
  );
}

/** All addresses, each to be opened or copied. */
function Addresses({ urls }: { urls: string[] }) {
  const { t } = useTranslation('app');
  const [open, setOpen] = useState(false);
  const id = useId();
  const list = (
    <ul id={id} className="addresses">
      {urls.map((url, index) => (
        <li key={url}>
          <a href={url} target="_blank" rel="noreferrer" dir="ltr">
            {url}
          </a>
          <CopyButton text={url} />
          {index === 0 && urls.length > 1 && <div className="soft">{t('head.most_isolated')}</div>}
        </li>
      ))}
    </ul>
  );
  return (
    <Popover content={list} title={t('head.addresses')} trigger="click" placement="bottomRight" open={open} onOpenChange={setOpen}>
      <Button type="primary" icon={<DownOutlined />} aria-label={t('head.addresses')} aria-expanded={open} aria-controls={open ? id : undefined} />
    </Popover>
  );
}
