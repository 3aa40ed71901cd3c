import type { Command } from './commands';
import { matchAny } from './match';

/** How many are shown: who wants others types on. */
const MOST = 30;

/** Points more for what is a place of its own, so that an app comes before what can be done to it. */
const PLACE: Record<Command['kind'], number> = { page: 3, app: 2, component: 1, action: 0 };

export interface Found<T> {
  command: T;
  /** Positions of the title's letters that matched. */
  at: number[];
}

/** The commands that a text finds, best first; for no text those to begin with. */
export function find<T extends Pick<Command, 'kind' | 'title' | 'others' | 'searched'>>(text: string, commands: T[]): Found<T>[] {
  if (text.trim() === '') return commands.filter((one) => !one.searched).map((command) => ({ command, at: [] }));
  const found = commands.flatMap((command) => {
    const matched = matchAny(text, command.title, command.others);
    return matched ? [{ command, at: matched.at, score: matched.score + PLACE[command.kind] }] : [];
  });
  return found.sort((a, b) => b.score - a.score).slice(0, MOST);
}
