/** A colour's angle for an ID: the same everywhere, and far apart for IDs that differ little. */
export function hue(id: string): number {
  let hash = 2166136261;
  for (const char of id) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619);
  // The last bits of FNV-1a mix least: fold the others in.
  return ((hash ^ (hash >>> 15)) >>> 0) % 360;
}

/** One or two letters for a name: of its first and second word. */
export function initials(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const letters = words.slice(0, 2).map((word) => [...word][0] ?? '');
  return (letters.join('') || '?').toLocaleUpperCase('en');
}
