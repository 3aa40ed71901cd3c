// Nothing typed is lost by a click on a link or by closing the tab.
import { Modal } from 'antd';
import { useEffect, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { useBlocker } from 'react-router';

/** The forms of this page that hold something unsaved. The router asks one blocker only, so they share this. */
const unsaved = new Set<string>();

/** Tells the guard that a form holds something unsaved. */
export function useUnsaved(dirty: boolean) {
  const id = useId();
  useEffect(() => {
    if (!dirty) return;
    unsaved.add(id);
    return () => {
      unsaved.delete(id);
    };
  }, [dirty, id]);
}

/** From now on the page may be left: what was typed is saved. */
export const allSaved = () => unsaved.clear();

export function LeaveGuard({ onLeave }: { onLeave?: () => void }) {
  const { t } = useTranslation();
  const blocker = useBlocker(({ currentLocation, nextLocation }) => unsaved.size > 0 && currentLocation.pathname !== nextLocation.pathname);
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (unsaved.size > 0) event.preventDefault();
    };
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, []);
  const leave = () => {
    onLeave?.();
    blocker.proceed?.();
  };
  return (
    <Modal
      open={blocker.state === 'blocked'}
      title={t('state.unsaved')}
      onCancel={() => blocker.reset?.()}
      onOk={leave}
      okText={t('state.leave_yes')}
      cancelText={t('state.leave_no')}
      okButtonProps={{ danger: true }}
      width={420}
    >
      {t('state.leave')}
    </Modal>
  );
}
