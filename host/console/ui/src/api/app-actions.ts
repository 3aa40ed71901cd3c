// Starting, stopping, restarting and deleting apps, known to the whole page: whichever part asked for it, an app's
// row, its own page and the command palette all see that it is busy.
import { useMutationState } from '@tanstack/react-query';
import { act, type AppAction, removeApp } from './apps';
import { keys, queryClient } from './queries';
import type { AppAnswer, Operation } from './schema';

export type Deed = AppAction | 'delete';
export type Data = 'keep' | 'drop';

interface Asked {
  id: string;
  deed: Deed;
  /** For `delete`: what becomes of its database and key-value space. */
  data?: Data;
}

const KEY = ['act'];

/** Asks for a deed and ends when it has: with the operation as it ended. Throws a ProblemError where it is refused. */
export function perform(id: string, deed: Deed, data: Data = 'keep'): Promise<Operation> {
  const mutation = queryClient.getMutationCache().build<Operation, Error, Asked, unknown>(queryClient, {
    mutationKey: KEY,
    mutationFn: run,
    gcTime: 0,
    // The host may well be reached while the browser believes to be offline: on this machine, for one.
    networkMode: 'always',
  });
  return mutation.execute({ id, deed, data });
}

async function run({ id, deed, data }: Asked): Promise<Operation> {
  if (deed !== 'delete') return act(id, deed);
  const operation = await removeApp(id, data ?? 'keep');
  if (operation.status === 'succeeded') {
    queryClient.setQueryData<AppAnswer[]>(keys.apps, (apps) => apps?.filter((app) => app.id !== id));
  }
  return operation;
}

/** What is being done to the app at this moment. */
export function useBusy(id: string): Deed | null {
  const running = useMutationState({
    filters: { mutationKey: KEY, status: 'pending', predicate: (one) => (one.state.variables as Asked).id === id },
    select: (one) => (one.state.variables as Asked).deed,
  });
  return running.at(-1) ?? null;
}
