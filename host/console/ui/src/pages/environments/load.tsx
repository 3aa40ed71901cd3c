import { useTranslation } from 'react-i18next';
import type { EnvironmentInfo } from '../../api/schema';
import { Meter } from '../../components/meter';
import { useFormats } from '../../format';

type Kind = 'cpu' | 'process_memory' | 'app_memory' | 'instances';

interface Props {
  environment: EnvironmentInfo;
  of: Kind;
  /** The name is for screen readers only: a table's head says it already. */
  quiet?: boolean;
}

/** How much of one thing an environment uses. */
export function Load({ environment: one, of, quiet = false }: Props) {
  const { t } = useTranslation('environments');
  const { bytes, cores, number } = useFormats();
  const parts = {
    cpu: { used: one.cpu_load, all: one.cpu_cores, shown: cores },
    process_memory: { used: one.process_memory_bytes, all: one.memory_total_bytes, shown: bytes },
    app_memory: { used: one.app_memory_bytes, all: one.memory_total_bytes, shown: bytes },
    instances: { used: one.instances, all: one.instance_slots, shown: number },
  };
  const { used, all, shown } = parts[of];
  const label = t(`load.${of}`);
  return <Meter label={quiet ? <span className="unseen">{label}</span> : label} text={t(`load.${of}_of`, { used: shown(used), all: shown(all) })} share={all > 0 ? used / all : 0} />;
}

/** All of it. */
export function Loads({ environment }: { environment: EnvironmentInfo }) {
  return (
    <div className="environment-load">
      {(['cpu', 'process_memory', 'app_memory', 'instances'] as const).map((of) => (
        <Load key={of} environment={environment} of={of} />
      ))}
    </div>
  );
}
