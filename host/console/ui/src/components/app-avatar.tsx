import './app-avatar.css';
import { hue, initials } from './app-avatar-look';

/** An app's picture: initials on a colour of its own, always the same for the same ID. */
export function AppAvatar({ id, name, size = 32 }: { id: string; name: string; size?: number }) {
  const style = { '--hue': hue(id), '--size': `${size}px` } as React.CSSProperties;
  return (
    <span className="app-avatar" aria-hidden style={style}>
      {initials(name || id)}
    </span>
  );
}
