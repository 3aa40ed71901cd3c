// Finding by a few letters: `shp` finds Shop, `st he` finds "Stop Help desk".

export interface Match {
  /** The higher, the better. */
  score: number;
  /** Positions of the letters that matched, in UTF-16 units of the text. */
  at: number[];
}

const WHOLE = 100;
const WORD_BEGINS = 60;
const INSIDE = 30;
const SCATTERED = 5;

/** How well `query` matches `text`; null where it does not. Every word of the query must be found. */
export function match(query: string, text: string): Match | null {
  const words = fold(query).split(/\s+/).filter(Boolean);
  const hay = fold(text);
  const at: number[] = [];
  let score = 0;
  for (const word of words) {
    const found = together(word, hay) ?? scattered(word, hay);
    if (!found) return null;
    score += found.score;
    at.push(...found.at);
  }
  // Among equals the shorter text: less of it was not asked for.
  return { score: score - hay.length / 100, at: [...new Set(at)].sort((a, b) => a - b) };
}

/** The best match among a title and other words for the same thing; what matched in those is not marked. */
export function matchAny(query: string, title: string, others: string[]): Match | null {
  const direct = match(query, title);
  const more = others.map((text) => match(query, text)).filter((one) => one !== null);
  const all = match(query, [title, ...others].join(' '));
  const indirect = Math.max(...more.map((one) => one.score), all ? all.score - INSIDE / 2 : -Infinity) - 1;
  if (direct && direct.score >= indirect) return direct;
  return indirect > -Infinity ? { score: indirect, at: direct?.at ?? [] } : null;
}

/** Lower case and without accents, letter by letter, so that positions stay what they are. */
function fold(text: string): string {
  return text.replace(/[\s\S]/gu, (letter) => {
    const base = letter.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
    return base.length === letter.length ? base : letter;
  });
}

function together(word: string, hay: string): Match | null {
  let best: Match | null = null;
  for (let from = hay.indexOf(word); from >= 0; from = hay.indexOf(word, from + 1)) {
    const begins = from === 0 || !isLetter(hay[from - 1]);
    const ends = !isLetter(hay[from + word.length]);
    const score = begins ? (ends ? WHOLE : WORD_BEGINS) + (from === 0 ? 10 : 0) : INSIDE;
    if (!best || score > best.score) best = { score, at: Array.from(word, (_, index) => from + index) };
  }
  return best;
}

/** The letters in their order, not far apart: those at the beginning of a word count more. */
function scattered(word: string, hay: string): Match | null {
  if (word.length < 2) return null;
  const at: number[] = [];
  let from = 0;
  let score = 0;
  for (const letter of word) {
    const next = hay.indexOf(letter, from);
    if (next < 0) return null;
    score += next === 0 || !isLetter(hay[next - 1]) ? SCATTERED : next === from ? SCATTERED / 2 : 0;
    at.push(next);
    from = next + letter.length;
  }
  const first = at[0] ?? 0;
  const spread = from - first;
  return spread > word.length * 4 || score < SCATTERED ? null : { score, at };
}

const isLetter = (letter: string | undefined) => letter !== undefined && /[\p{L}\p{N}]/u.test(letter);
