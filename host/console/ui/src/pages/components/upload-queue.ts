// The files that are being uploaded to the library: two at once, the others wait. The queue belongs to the
// browser tab, not to the page, so that uploads go on while one looks at something else.
import { MAX_COMPONENT_BYTES } from '../../api/components';
import { ProblemError, toProblem } from '../../api/problem';
import type { Component } from '../../api/schema';

const AT_ONCE = 2;

/**
 * `too_large`: refused here, before anything was sent. `checking`: sent whole, and being checked by the host.
 * `taken`: in the library; how far its compile is stands there.
 */
export type Phase = 'waiting' | 'sending' | 'checking' | 'taken' | 'refused' | 'too_large';

export interface Upload {
  id: number;
  file: File;
  phase: Phase;
  /** How much of it is sent, 0 to 1. */
  sent: number;
  /** The name to list it under, where its metadata has none. */
  name?: string;
  problem?: ProblemError;
  component?: Component;
  /** It was in the library already. */
  known?: boolean;
}

export type Send = (file: File, onProgress: (share: number) => void, signal: AbortSignal, name?: string) => Promise<Component>;

export class UploadQueue {
  private uploads: readonly Upload[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly aborts = new Map<number, AbortController>();
  private lastId = 0;

  /** `digests`: of what is in the library now. */
  constructor(
    private readonly send: Send,
    private readonly digests: () => ReadonlySet<string> = () => new Set(),
  ) {}

  readonly get = (): readonly Upload[] => this.uploads;

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly add = (files: Iterable<File>) => {
    const added = [...files].map((file): Upload => {
      this.lastId += 1;
      return { id: this.lastId, file, phase: file.size > MAX_COMPONENT_BYTES ? 'too_large' : 'waiting', sent: 0 };
    });
    this.become([...this.uploads, ...added]);
    this.pump();
  };

  /** Sends a refused one again, under `name` if given. */
  readonly retry = (id: number, name?: string) => {
    const upload = this.uploads.find((one) => one.id === id);
    if (upload?.phase !== 'refused') return;
    this.change(id, { phase: 'waiting', sent: 0, problem: undefined, name: name ?? upload.name });
    this.pump();
  };

  /** Takes one off the list; what is under way is given up. */
  readonly dismiss = (id: number) => {
    this.aborts.get(id)?.abort();
    this.become(this.uploads.filter((one) => one.id !== id));
    this.pump();
  };

  /** Takes all off that have ended. */
  readonly dismissEnded = () => {
    this.become(this.uploads.filter((one) => !hasEnded(one)));
  };

  private pump() {
    const next = this.uploads.find((one) => one.phase === 'waiting');
    const busy = this.uploads.filter((one) => one.phase === 'sending' || one.phase === 'checking').length;
    if (!next || busy >= AT_ONCE) return;
    void this.run(next);
    this.pump();
  }

  private async run({ id, file, name }: Upload) {
    const abort = new AbortController();
    this.aborts.set(id, abort);
    this.change(id, { phase: 'sending' });
    const before = this.digests();
    try {
      const component = await this.send(file, (sent) => this.change(id, { sent, phase: sent < 1 ? 'sending' : 'checking' }), abort.signal, name);
      this.change(id, { phase: 'taken', sent: 1, component, known: before.has(component.digest) });
    } catch (error) {
      this.change(id, { phase: 'refused', problem: toProblem(error) });
    }
    this.aborts.delete(id);
    this.pump();
  }

  private change(id: number, what: Partial<Upload>) {
    this.become(this.uploads.map((one) => (one.id === id ? { ...one, ...what } : one)));
  }

  private become(next: readonly Upload[]) {
    this.uploads = next;
    for (const listener of this.listeners) listener();
  }
}

export const hasEnded = ({ phase }: Upload) => phase === 'taken' || phase === 'refused' || phase === 'too_large';

/** What a component is likely called, from its file's name. */
export const nameFromFile = (file: string) =>
  file
    .replace(/\.wasm$/i, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 100);
