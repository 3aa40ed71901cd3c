import { Avatar } from 'antd';
import type { AppAnswer } from '../../api/schema';

/** How many colours there are in app.css. */
const COLOURS = 6;

/** An app's first letter, in a colour of its own that stays whatever it is called. */
export function AppAvatar({ app, size = 40 }: { app: Pick<AppAnswer, 'id' | 'display_name'>; size?: number }) {
  const [first = '?'] = app.display_name.trim() || app.id;
  let hash = 0;
  for (const letter of app.id) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return (
    <Avatar shape="square" size={size} className={`app-avatar colour-${hash % COLOURS}`} aria-hidden>
      {first.toUpperCase()}
    </Avatar>
  );
}
