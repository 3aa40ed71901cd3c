// The same deed for many apps: a few at a time, as far as it gets, and it can be given up between two of them.

export type Outcome = 'done' | 'failed' | 'skipped';

export interface Result<T> {
  item: T;
  outcome: Outcome;
  /** Why it failed. */
  reason?: unknown;
}

export interface Options<T> {
  /** How many are under way at once. */
  atOnce: number;
  /** No further item is begun once it is aborted; those under way end. */
  signal: AbortSignal;
  /** Called after each item with all that has ended so far. */
  onProgress: (ended: Result<T>[]) => void;
}

/** Runs `task` for every item. Never throws: what became of each is in the results, in the items' order. */
export async function runBatch<T>(items: T[], task: (item: T) => Promise<void>, options: Options<T>): Promise<Result<T>[]> {
  const results = new Map<T, Result<T>>();
  const waiting = [...items];
  const ordered = () => items.flatMap((item) => results.get(item) ?? []);
  const worker = async () => {
    while (!options.signal.aborted) {
      const item = waiting.shift();
      if (item === undefined) return;
      try {
        await task(item);
        results.set(item, { item, outcome: 'done' });
      } catch (reason) {
        results.set(item, { item, outcome: 'failed', reason });
      }
      options.onProgress(ordered());
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.atOnce, items.length) }, worker));
  return items.map((item) => results.get(item) ?? { item, outcome: 'skipped' });
}

export function count<T>(results: Result<T>[], outcome: Outcome): number {
  return results.filter((one) => one.outcome === outcome).length;
}
