import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { Button, Tooltip } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

/** Copies a text that stands beside it. */
export function CopyButton({ text }: { text: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <Tooltip title={t(copied ? 'action.copied' : 'action.copy')}>
      <Button
        type="text"
        size="small"
        className="copy-button"
        icon={copied ? <CheckOutlined /> : <CopyOutlined />}
        aria-label={`${t(copied ? 'action.copied' : 'action.copy')}: ${text}`}
        onClick={copy}
      />
    </Tooltip>
  );
}
