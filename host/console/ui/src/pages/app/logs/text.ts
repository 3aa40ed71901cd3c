// A log line's text, made fit to be shown.

// Escape sequences: colours and the like (CSI), titles and links (OSC), and short ones.
// eslint-disable-next-line no-control-regex -- those are what is looked for
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// What would be invisible, or would move other text about: control characters but tab and line end, and marks of direction.
// eslint-disable-next-line no-control-regex -- those are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The text without terminal colours; what else cannot be seen is shown as `�`. */
export function plain(text: string): string {
  return text.replace(ANSI, '').replace(/\r\n?/g, '\n').replace(/\n+$/, '').replace(CONTROL, '\ufffd');
}

/** The text in pieces, those with `search` in them marked. */
export function pieces(text: string, search: string): { text: string; found: boolean }[] {
  if (!search) return [{ text, found: false }];
  const found: { text: string; found: boolean }[] = [];
  const [whole, wanted] = [text.toLowerCase(), search.toLowerCase()];
  let from = 0;
  // Where lower case is longer than what it stands for, places would not fit: then nothing is marked.
  if (whole.length !== text.length) return [{ text, found: false }];
  for (let at = whole.indexOf(wanted); at >= 0; at = whole.indexOf(wanted, from)) {
    if (at > from) found.push({ text: text.slice(from, at), found: false });
    found.push({ text: text.slice(at, at + wanted.length), found: true });
    from = at + wanted.length;
  }
  if (from < text.length || found.length === 0) found.push({ text: text.slice(from), found: false });
  return found;
}
