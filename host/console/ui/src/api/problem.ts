import type { Problem } from './schema';

/** What the API says when it refuses (RFC 9457), or that it could not be reached: then `code` is `unreachable`. */
export class ProblemError extends Error {
  readonly code: string;
  readonly status: number;
  /** The JSON member that caused it, such as `limits.memory_bytes`. */
  readonly field: string | null;
  /** What to quote to whoever reads the host's log. */
  readonly reference: string | null;
  /** Seconds after which to try again. */
  readonly retryAfter: number | null;
  /** Of a refused component: what it imports that Lodge does not offer. */
  readonly unknownImports: string[];

  constructor(problem: Partial<Problem> & Pick<Problem, 'code' | 'detail' | 'status'>) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.code = problem.code;
    this.status = problem.status;
    this.field = problem.field ?? null;
    this.reference = problem.reference ?? null;
    this.retryAfter = problem.retry_after ?? null;
    this.unknownImports = problem.unknown_imports ?? [];
  }
}

/** What `error` is to the person: a problem of the API's, or that the host does not answer. */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  return new ProblemError({ code: 'unreachable', status: 0, detail: error instanceof Error ? error.message : String(error) });
}

/** The problem in an answer's body, whatever it is. */
export function problemOf(body: unknown, status: number): ProblemError {
  if (typeof body === 'object' && body !== null && 'code' in body && 'detail' in body) {
    return new ProblemError({ ...(body as Problem), status });
  }
  return new ProblemError({ code: 'unexpected', status, detail: `the host answered ${status}` });
}
