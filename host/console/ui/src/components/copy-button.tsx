import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { Button } from 'antd';
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
  // No Tooltip: long lists have hundreds of these, and each would cost as much as the button again.
  const word = t(copied ? 'action.copied' : 'action.copy');
  return (
    <Button
      type="text"
      size="small"
      className="copy-button"
      icon={copied ? <CheckOutlined /> : <CopyOutlined />}
      title={word}
      aria-label={`${word}: ${text}`}
      onClick={copy}
    />
  );
}
