import { describe, expect, it } from 'vitest';
import { count, type Result, runBatch } from './batch';

const quietly = { signal: new AbortController().signal, onProgress: () => undefined };
const soon = () => new Promise((resolve) => setTimeout(resolve, 1));

describe('runBatch', () => {
  it('does all of it, a few at a time', async () => {
    let running = 0;
    let most = 0;
    const results = await runBatch([...Array(20).keys()], async () => {
      running += 1;
      most = Math.max(most, running);
      await soon();
      running -= 1;
    }, { ...quietly, atOnce: 4 });
    expect(most).toBe(4);
    expect(count(results, 'done')).toBe(20);
  });

  it('goes on after a failure and keeps its reason, in the order of the items', async () => {
    const reason = new Error('no');
    const results = await runBatch(['a', 'b', 'c'], async (item) => {
      await soon();
      if (item === 'b') throw reason;
    }, { ...quietly, atOnce: 2 });
    expect(results).toEqual([
      { item: 'a', outcome: 'done' },
      { item: 'b', outcome: 'failed', reason },
      { item: 'c', outcome: 'done' },
    ]);
  });

  it('begins nothing after it was given up, and lets end what runs', async () => {
    const abort = new AbortController();
    const begun: number[] = [];
    const results = await runBatch([1, 2, 3, 4, 5, 6], async (item) => {
      begun.push(item);
      await soon();
      if (item === 2) abort.abort();
    }, { atOnce: 2, signal: abort.signal, onProgress: () => undefined });
    expect(count(results, 'done')).toBe(begun.length);
    expect(begun.length).toBeLessThanOrEqual(3);
    expect(count(results, 'skipped')).toBe(6 - begun.length);
  });

  it('tells how far it is after each item', async () => {
    const seen: Result<number>[][] = [];
    await runBatch([1, 2, 3], soon as () => Promise<void>, { ...quietly, atOnce: 1, onProgress: (ended) => seen.push(ended) });
    expect(seen.map((ended) => ended.length)).toEqual([1, 2, 3]);
  });

  it('has nothing to do for nothing', async () => {
    expect(await runBatch([], soon as () => Promise<void>, { ...quietly, atOnce: 4 })).toEqual([]);
  });
});
