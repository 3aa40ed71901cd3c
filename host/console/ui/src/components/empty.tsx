import { Empty } from 'antd';
import type { ReactNode } from 'react';

/** Nothing here yet: what it would be, and the next step. */
export function Teach({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} className="teach" description={<strong>{title}</strong>}>
      {children && <p className="soft">{children}</p>}
      {action}
    </Empty>
  );
}
