// One upload into the library, from the form, and what is said about it.
import { useRef, useState } from 'react';
import { MAX_COMPONENT_BYTES, uploadComponent } from '../api/components';
import { type ProblemError, toProblem } from '../api/problem';
import type { Component } from '../api/schema';

export type Upload =
  | { state: 'none' }
  | { state: 'sending'; name: string; share: number }
  | { state: 'checking'; name: string }
  | { state: 'too_large'; name: string; size: number }
  | { state: 'refused'; name: string; problem: ProblemError }
  | { state: 'done'; name: string; component: Component };

export function useUpload(onDone: (component: Component) => void) {
  const [upload, setUpload] = useState<Upload>({ state: 'none' });
  const current = useRef<AbortController>(null);
  const send = async (file: File) => {
    current.current?.abort();
    const { name, size } = file;
    if (size > MAX_COMPONENT_BYTES) return setUpload({ state: 'too_large', name, size });
    const abort = new AbortController();
    current.current = abort;
    const tell = (next: Upload) => current.current === abort && setUpload(next);
    tell({ state: 'sending', name, share: 0 });
    const progress = (share: number) => tell(share < 1 ? { state: 'sending', name, share } : { state: 'checking', name });
    try {
      const component = await uploadComponent(file, progress, abort.signal);
      tell({ state: 'done', name, component });
      if (current.current === abort) onDone(component);
    } catch (error) {
      const problem = toProblem(error);
      tell(problem.code === 'aborted' ? { state: 'none' } : { state: 'refused', name, problem });
    }
  };
  return { upload, send: (file: File) => void send(file), stop: () => current.current?.abort() };
}
