import { Checkbox } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Keys } from './palette-search';
import { type Shortcut, SHORTCUTS, singleKeys } from './shortcuts';

const WORDS: Record<Shortcut, string> = {
  'g a': 'nav.apps',
  'g c': 'nav.components',
  'g e': 'nav.environments',
  'g l': 'nav.activity',
  n: 'palette.add_app',
  '/': 'palette.title',
  '?': 'palette.shortcuts',
};

/** What keys do, and whether single ones do anything. */
export function ShortcutList() {
  const { t } = useTranslation();
  const [on, setOn] = useState(singleKeys.get);
  const change = (next: boolean) => {
    singleKeys.set(next);
    setOn(next);
  };
  const palette = navigator.platform.startsWith('Mac') ? '⌘ K' : 'Ctrl K';
  return (
    <>
      <dl className="shortcuts">
        <div>
          <dt>{t('palette.title')}</dt>
          <dd>
            <Keys keys={palette} />
          </dd>
        </div>
        {(Object.keys(SHORTCUTS) as Shortcut[]).map((keys) => (
          <div key={keys} className={on ? undefined : 'off'}>
            <dt>{t(WORDS[keys])}</dt>
            <dd>
              <Keys keys={keys} />
            </dd>
          </div>
        ))}
      </dl>
      <Checkbox checked={on} onChange={(event) => change(event.target.checked)}>
        {t('palette.single_keys')}
      </Checkbox>
      <p className="soft">{t('palette.single_keys_why')}</p>
    </>
  );
}
