const DAY_MS = 86_400_000;
const SOON_MS = 7 * DAY_MS;

/** The API takes so many days at most. */
export const MAX_DAYS = 3_650;

export const hasEnded = (endsAt: number, now = Date.now()) => endsAt <= now;

export const endsSoon = (endsAt: number, now = Date.now()) => endsAt > now && endsAt - now <= SOON_MS;

/** When a token made now ends. */
export const endOf = (days: number, now = Date.now()) => now + days * DAY_MS;
