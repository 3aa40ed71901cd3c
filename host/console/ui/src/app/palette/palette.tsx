import { Modal } from 'antd';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Palette as Props } from '../command-palette';
import './palette.css';
import { PaletteSearch } from './palette-search';
import { ShortcutList } from './shortcut-list';

/** The palette's dialog, and that of the shortcuts. */
export default function Palette({ shown, close, show }: Props) {
  const { t } = useTranslation();
  // Whoever went to another page goes on there, not at the button that opened this.
  const [left, setLeft] = useState(false);
  const begin = useCallback((open: boolean) => open && setLeft(false), []);
  const leave = useCallback(
    (leaves: boolean) => {
      setLeft(leaves);
      close();
    },
    [close],
  );
  const showShortcuts = useCallback(() => show('shortcuts'), [show]);
  return (
    <>
      <Modal
        open={shown === 'palette'}
        onCancel={close}
        afterOpenChange={begin}
        title={<span className="unseen">{t('palette.title')}</span>}
        className="palette"
        closable={false}
        footer={null}
        width={620}
        destroyOnHidden
        focusable={{ focusTriggerAfterClose: !left }}
      >
        <PaletteSearch onEnd={leave} onShortcuts={showShortcuts} />
      </Modal>
      <Modal open={shown === 'shortcuts'} onCancel={close} title={t('palette.shortcuts')} footer={null} width={460} destroyOnHidden>
        <ShortcutList />
      </Modal>
    </>
  );
}
