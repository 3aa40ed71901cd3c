// The API's client: paths and types are generated from the OpenAPI document (`npm run api`).
import createClient from 'openapi-fetch';
import { ProblemError, problemOf, toProblem } from './problem';
import type { paths } from './schema';
import { session } from './session';

export const api = createClient<paths>({ baseUrl: '', credentials: 'same-origin' });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/**
 * The answer's body. A request that is refused because the session has ended waits for a new sign-in and is
 * sent again, so that nothing typed is lost; not so where `renew` is false.
 *
 * Throws a ProblemError.
 */
export async function call<T>(send: () => Promise<Answer<T>>, renew = true): Promise<T> {
  for (;;) {
    const answer = await send().catch((error: unknown) => {
      throw toProblem(error);
    });
    const { response } = answer;
    if (response.ok) return answer.data as T;
    if (renew && response.status === 401 && (session.get() === 'in' || session.get() === 'expired')) {
      await session.renewed().catch(() => {
        throw problemOf(answer.error, response.status);
      });
      continue;
    }
    throw problemOf(answer.error, response.status);
  }
}

/** A key under which a POST acts once, however often it is sent. */
export const idempotencyKey = () => ({ 'Idempotency-Key': randomKey() });

/** `crypto.randomUUID` is for secure origins only; the console also runs on plain HTTP in a private network. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Uploads go through XMLHttpRequest: only it tells how far they are. `onProgress` gets 0 to 1. */
export function upload<T>(path: string, file: Blob, onProgress: (share: number) => void, signal?: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('Content-Type', 'application/wasm');
    request.responseType = 'json';
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => {
      const ok = request.status >= 200 && request.status < 300;
      ok ? resolve(request.response as T) : reject(problemOf(request.response, request.status));
    };
    request.onerror = () => reject(new ProblemError({ code: 'unreachable', status: 0, detail: 'the upload was cut short' }));
    request.onabort = () => reject(new ProblemError({ code: 'aborted', status: 0, detail: 'the upload was given up' }));
    signal?.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
