import { Typography } from 'antd';
import { type ReactNode, useEffect } from 'react';

interface Props {
  title: ReactNode;
  /** The browser tab's title, where `title` is not a text. */
  name?: string;
  /** One line on what the page is for. */
  about?: ReactNode;
  /** What can be done here, the main thing last. */
  actions?: ReactNode;
}

export function PageHeader({ title, name, about, actions }: Props) {
  const tab = name ?? (typeof title === 'string' ? title : 'Lodge');
  useEffect(() => {
    document.title = `${tab} · Lodge`;
  }, [tab]);
  return (
    <header className="page-header">
      <div className="page-title">
        <Typography.Title level={1}>{title}</Typography.Title>
        {about && <Typography.Text type="secondary">{about}</Typography.Text>}
      </div>
      {actions && <div className="page-actions">{actions}</div>}
    </header>
  );
}
