// Reads `.env` text: KEY=value lines, quotes, `export`, comments, values of several lines in quotes.

export interface EnvFile {
  entries: { key: string; value: string }[];
  /** Lines that are none of it, by number from 1. */
  ignored: number[];
}

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z0-9_./-]+)\s*=\s?(.*)$/;
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\\': '\\', '"': '"', $: '$' };

/** The later of two lines with one key counts. */
export function parseEnv(text: string): EnvFile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const found = new Map<string, string>();
  const ignored: number[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const [, key, rest] = ASSIGNMENT.exec(line) ?? [];
    if (key === undefined || rest === undefined) {
      ignored.push(index + 1);
      continue;
    }
    const quote = /^\s*(["'`])/.exec(rest)?.[1];
    const quoted = quote ? readQuoted(lines, index, rest, quote) : null;
    found.set(key, quoted ? quoted.value : plain(rest));
    if (quoted) index = quoted.last;
  }
  return { entries: [...found].map(([key, value]) => ({ key, value })), ignored };
}

function plain(rest: string): string {
  return rest.replace(/(^|\s)#.*$/, '').trim();
}

/** A value in quotes, which may go on over lines; null if the quotes never close. */
function readQuoted(lines: string[], first: number, rest: string, quote: string): { value: string; last: number } | null {
  let value = '';
  let line = rest.slice(rest.indexOf(quote) + 1);
  for (let at = first; ; ) {
    for (let index = 0; index < line.length; index += 1) {
      const letter = line[index];
      if (letter === quote) return { value, last: at };
      const next = line[index + 1];
      if (letter === '\\' && quote === '"' && next !== undefined) {
        value += ESCAPES[next] ?? `\\${next}`;
        index += 1;
      } else value += letter;
    }
    at += 1;
    const following = lines[at];
    if (following === undefined) return null;
    value += '\n';
    line = following;
  }
}

/** Keys by whose name one knows that the value is nobody's business. */
export function looksSecret(key: string): boolean {
  return /(^|[_./-])(secret|secrets|password|passwd|pass|pwd|token|credentials?|private|apikey|key|dsn)($|[_./-])/i.test(key);
}
