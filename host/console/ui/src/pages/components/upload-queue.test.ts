import { expect, it, vi } from 'vitest';
import { ProblemError } from '../../api/problem';
import type { Component } from '../../api/schema';
import { nameFromFile, type Send, UploadQueue } from './upload-queue';

const file = (name: string, size = 10) => ({ name, size }) as File;
const component = (digest: string) => ({ digest }) as Component;
const settled = () => new Promise((resolve) => setTimeout(resolve));

/** A host that answers when told to. */
function host() {
  const calls: { file: File; progress: (share: number) => void; signal: AbortSignal; name?: string; resolve: (made: Component) => void; reject: (why: unknown) => void }[] = [];
  const send: Send = (sent, progress, signal, name) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('given up')));
      calls.push({ file: sent, progress, signal, name, resolve, reject });
    });
  return { calls, send };
}

const phases = (queue: UploadQueue) => queue.get().map((one) => one.phase);

it('sends two at once and the next when one is done', async () => {
  const { calls, send } = host();
  const queue = new UploadQueue(send, () => new Set(['b']));
  queue.add([file('a.wasm'), file('b.wasm'), file('c.wasm')]);
  expect(phases(queue)).toEqual(['sending', 'sending', 'waiting']);
  calls[1]?.progress(1);
  expect(phases(queue)).toEqual(['sending', 'checking', 'waiting']);
  calls[1]?.resolve(component('b'));
  await settled();
  expect(phases(queue)).toEqual(['sending', 'taken', 'sending']);
  expect(queue.get()[1]?.known).toBe(true);
  calls[0]?.resolve(component('a'));
  await settled();
  expect(queue.get()[0]?.known).toBe(false);
});

it('refuses what is too large before anything is sent', () => {
  const { calls, send } = host();
  const queue = new UploadQueue(send);
  queue.add([file('big.wasm', 100 * 1024 * 1024 + 1), file('fits.wasm', 100 * 1024 * 1024)]);
  expect(phases(queue)).toEqual(['too_large', 'sending']);
  expect(calls).toHaveLength(1);
});

it('keeps the reason of a refusal, and sends again under a name', async () => {
  const { calls, send } = host();
  const queue = new UploadQueue(send);
  queue.add([file('a.wasm')]);
  calls[0]?.reject(new ProblemError({ code: 'invalid', status: 422, detail: 'no name', field: 'name' }));
  await settled();
  const [refused] = queue.get();
  expect(refused).toMatchObject({ phase: 'refused', problem: { field: 'name' } });
  queue.retry(refused?.id ?? 0, 'shop');
  expect(calls[1]?.name).toBe('shop');
  expect(queue.get()[0]).toMatchObject({ phase: 'sending', sent: 0, problem: undefined });
});

it('gives up what is dismissed under way and goes on with the next', async () => {
  const { calls, send } = host();
  const queue = new UploadQueue(send);
  queue.add([file('a'), file('b'), file('c')]);
  const told = vi.fn();
  queue.subscribe(told);
  queue.dismiss(queue.get()[0]?.id ?? 0);
  await settled();
  expect(calls[0]?.signal.aborted).toBe(true);
  expect(phases(queue)).toEqual(['sending', 'sending']);
  expect(calls[2]?.file.name).toBe('c');
  expect(told).toHaveBeenCalled();
});

it('dismisses what has ended only', async () => {
  const { calls, send } = host();
  const queue = new UploadQueue(send);
  queue.add([file('a'), file('b')]);
  calls[0]?.resolve(component('a'));
  await settled();
  queue.dismissEnded();
  expect(queue.get().map((one) => one.file.name)).toEqual(['b']);
});

it('proposes a name from the file’s', () => {
  expect(nameFromFile('hello-js.wasm')).toBe('hello-js');
  expect(nameFromFile('my shop (2).WASM')).toBe('my-shop-2');
});
