import { useMemo } from 'react';
import { useAbout } from '../api/about';
import { useComponents } from '../api/components';
import type { Known } from './logic/check';

/** What the form's rules need to know of the host and of the chosen component. */
export function useKnown(component: string | null): Known {
  const service = useAbout().data?.apps_database;
  const imports = useComponents().data?.find((one) => one.digest === component)?.imports;
  return useMemo(() => ({ service, imports }), [service, imports]);
}
