import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { App, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import './code-block.css';

/** Lines to paste elsewhere, with a button that copies them. Written from left to right in every language. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code);
      setCopied(true);
      setTimeout(() => setCopied(false), 2_000);
    } catch {
      // Browsers refuse without a secure connection.
      void message.warning(t('code.copy_by_hand'));
    }
  };
  return (
    <div className="code-block" role="group" aria-label={label}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long lines are scrolled by keyboard too */}
      <pre dir="ltr" tabIndex={0}>
        {code}
      </pre>
      <Button icon={copied ? <CheckOutlined /> : <CopyOutlined />} onClick={() => void copy()}>
        {t(copied ? 'action.copied' : 'action.copy')}
      </Button>
    </div>
  );
}
