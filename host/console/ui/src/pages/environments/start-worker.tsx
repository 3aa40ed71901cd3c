// How an environment comes to be: what to set where, to be copied.
import { useTranslation } from 'react-i18next';
import { CodeBlock } from '../../components/code-block';
import { SideDrawer } from '../../components/side-drawer';

const MAKE_KEY = 'openssl rand -hex 32 > cluster.key';
/** `apps` says where apps run: `remote` or `local`. */
const shared = (mode: string, apps: string) => `APP_MODE=${mode}
APP_DISCOVERY_ADAPTER=remote
APP_PROCESS_ADAPTER=${apps}
APP_SUPERVISOR_REDIS_URL=redis://redis:6379/0
APP_COMMAND_ADAPTER=redis
APP_COMMAND_REDIS_URL=redis://redis:6379/0
LODGE_CLUSTER_KEY="$(cat cluster.key)"`;
const HOST = `${shared('supervisor', 'remote')}
lodge`.replaceAll('\n', ' \\\n');
const WORKER = `${shared('worker', 'local')}
ENVIRONMENT_NAME=worker-1
ENVIRONMENT_URL=http://worker-1.example.com
ENVIRONMENT_PROXY_URL=http://10.0.0.11:13000
lodge --listen 0.0.0.0:13000`.replaceAll('\n', ' \\\n');

interface Props {
  open: boolean;
  /** True: this host runs all apps itself, and has to become a supervisor first. */
  alone: boolean;
  onClose: () => void;
}

export function StartWorker({ open, alone, onClose }: Props) {
  const { t } = useTranslation('environments');
  return (
    <SideDrawer open={open} onClose={onClose} title={t('worker.title')} destroyOnHidden>
      <div className="environment-detail">
        <p>{t('worker.about')}</p>
        {alone && (
          <section>
            <h2>{t('worker.host')}</h2>
            <p className="soft">{t('worker.host_why')}</p>
            <CodeBlock code={MAKE_KEY} label={t('worker.key_code')} />
            <p className="soft">{t('worker.key_why')}</p>
            <CodeBlock code={HOST} label={t('worker.host_code')} />
          </section>
        )}
        <section>
          <h2>{t('worker.start')}</h2>
          <p className="soft">{t('worker.start_why')}</p>
          <CodeBlock code={WORKER} label={t('worker.start_code')} />
          <p className="soft">{t('worker.addresses')}</p>
          {!alone && <p className="soft">{t('worker.key_why')}</p>}
        </section>
      </div>
    </SideDrawer>
  );
}
