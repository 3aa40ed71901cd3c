// What can be done to an environment: at once with a way back where there is one, after a question where there is none.
import { App, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { actOn, type EnvironmentAction, removeEnvironment } from '../../api/environments';
import { toProblem } from '../../api/problem';
import type { EnvironmentInfo } from '../../api/schema';

/** How long a message with Undo stays, in seconds. */
const UNDO_SECONDS = 10;

export function useEnvironmentActions({ name, draining }: EnvironmentInfo, onRemoved?: () => void) {
  const { t } = useTranslation('environments');
  const { message, modal } = App.useApp();
  const [busy, setBusy] = useState(false);
  const run = async (what: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    try {
      await what();
      return true;
    } catch (error) {
      modal.error({ title: t('common:problem.title'), content: toProblem(error).message });
      return false;
    } finally {
      setBusy(false);
    }
  };
  const act = async (action: EnvironmentAction, undo?: EnvironmentAction) => {
    if (!(await run(() => actOn(name, action)))) return;
    const key = `environment-${name}`;
    const back = () => {
      message.destroy(key);
      if (undo) void act(undo);
    };
    const content = (
      <>
        {t(`done.${action}`, { name })}
        {undo && (
          <Button type="link" size="small" onClick={back}>
            {t('common:action.undo')}
          </Button>
        )}
      </>
    );
    void message.open({ key, type: 'success', content, duration: undo ? UNDO_SECONDS : 3 });
  };
  const remove = async () => {
    if (!(await run(() => removeEnvironment(name)))) return;
    void message.success(t('done.remove', { name }));
    onRemoved?.();
  };
  const common = { okButtonProps: { danger: true }, cancelText: t('common:action.cancel'), width: 480 };
  return {
    busy,
    cordon: () => void act('cordon', 'uncordon'),
    // A drain that is ended has moved apps already: there is no way back to it.
    uncordon: () => void act('uncordon', draining ? undefined : 'cordon'),
    drain: () =>
      modal.confirm({
        ...common,
        title: t('drain_title', { name }),
        content: (
          <>
            <p>{t('drain_why')}</p>
            <p>{t('drain_back')}</p>
          </>
        ),
        okText: t('action.drain'),
        onOk: () => act('drain'),
      }),
    remove: () => modal.confirm({ ...common, title: t('remove_title', { name }), content: t('remove_why'), okText: t('action.remove'), onOk: remove }),
  };
}

export type EnvironmentDeed = EnvironmentAction | 'remove';

/** What makes sense now, and why what does not does not. */
export function deedsOf(one: EnvironmentInfo): { deed: EnvironmentDeed; why?: 'online' | 'apps' }[] {
  const deeds: { deed: EnvironmentDeed; why?: 'online' | 'apps' }[] = [{ deed: one.schedulable ? 'cordon' : 'uncordon' }];
  if (!one.draining) deeds.push({ deed: 'drain' });
  deeds.push({ deed: 'remove', why: one.status === 'online' ? 'online' : one.apps > 0 ? 'apps' : undefined });
  return deeds;
}
