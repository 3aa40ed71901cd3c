import { looksSecret } from './dotenv';
import { type ConfigRow, newRow } from './draft';

/** Lays entries over rows: the same key gets the new value, others are added; `guess` marks by their name those that look secret. */
export function mergeRows(rows: ConfigRow[], entries: { key: string; value: string }[], guess: boolean): ConfigRow[] {
  const given = new Map(entries.map((one) => [one.key, one.value]));
  const changed = rows.map((row) => ({ ...row, value: given.get(row.key) ?? row.value }));
  const known = new Set(rows.map((row) => row.key));
  const added = entries
    .filter((one) => !known.has(one.key))
    .map(({ key, value }) => ({ row: newRow(), key, value, secret: guess && looksSecret(key), stored: false }));
  return [...changed, ...added];
}
