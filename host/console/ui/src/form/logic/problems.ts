// Where in the form a refusal of the host's belongs.
import type { ProblemError } from '../../api/problem';
import type { Draft, DraftField } from './draft';

/** Refusals that name no field, by their code. */
const BY_CODE: Record<string, string> = {
  app_exists: 'id',
  host_label_taken: 'id',
  app_deleting: 'id',
};

/** The path of the field in the form; null: of none. */
export function pathOf(problem: Pick<ProblemError, 'field' | 'code' | 'message'>, draft: Draft): string | null {
  if (problem.code === 'domain_taken') return indexed('domains', draft.domains.findIndex((one) => problem.message.includes(`\`${one}\``)));
  if (problem.code === 'database_in_use') return 'database.kind';
  const field = problem.field ?? BY_CODE[problem.code];
  if (!field) return null;
  const [, root = '', rest = ''] = /^([a-z_]+)(.*)$/.exec(field) ?? [];
  switch (root) {
    case 'component':
    case 'environments':
      return root;
    case 'database':
      return rest === '.url' && draft.database.kind === 'new_connection' ? 'database.url' : 'database.kind';
    case 'config':
      return row('config', draft.config.findIndex((one) => `.${one.key}` === rest), '.value', rest);
    case 'data_sources': {
      const at = draft.data_sources.findIndex((one) => rest === `.${one.name}` || rest.startsWith(`.${one.name}.`));
      const part = /\.(app|url)$/.exec(rest)?.[0] ?? '.name';
      return row('data_sources', at, part, rest);
    }
    default:
      return root in draft ? field : null;
  }
}

const indexed = (field: string, index: number) => (index < 0 ? field : `${field}[${index}]`);

function row(field: string, index: number, part: string, rest: string): string {
  return rest === '' || index < 0 ? field : `${field}[${index}]${part}`;
}

/** The field of the form that a path is in. */
export const fieldOf = (path: string) => /^[a-z_]+/.exec(path)?.[0] as DraftField;
