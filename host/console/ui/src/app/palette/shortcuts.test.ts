import { describe, expect, it } from 'vitest';
import { isElsewhere, press } from './shortcuts';

describe('press', () => {
  it('knows keys and sequences', () => {
    expect(press(null, 'n')).toEqual({ shortcut: 'n', pending: null });
    expect(press(null, 'g')).toEqual({ shortcut: null, pending: 'g' });
    expect(press('g', 'a')).toEqual({ shortcut: 'g a', pending: null });
  });

  it('forgets a sequence that goes nowhere', () => {
    expect(press('g', 'x')).toEqual({ shortcut: null, pending: null });
    expect(press('g', 'g')).toEqual({ shortcut: null, pending: 'g' });
    expect(press('g', '?')).toEqual({ shortcut: '?', pending: null });
    expect(press(null, 'a')).toEqual({ shortcut: null, pending: null });
  });
});

describe('isElsewhere', () => {
  function from(html: string, init: KeyboardEventInit = {}) {
    document.body.innerHTML = html;
    let seen: boolean | undefined;
    const listen = (event: KeyboardEvent) => (seen = isElsewhere(event));
    window.addEventListener('keydown', listen);
    document.body.querySelector('*')?.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', bubbles: true, ...init }));
    window.removeEventListener('keydown', listen);
    return seen;
  }

  it.each(['<input>', '<input type="search">', '<textarea></textarea>', '<div contenteditable="true"></div>', '<div role="combobox"></div>'])(
    'leaves keys to %s',
    (html) => expect(from(html)).toBe(true),
  );

  it.each(['<button></button>', '<input type="checkbox">', '<a href="/"></a>', '<p></p>'])('takes keys from %s', (html) => expect(from(html)).toBe(false));

  it('leaves keys with a modifier to the browser', () => {
    expect(from('<p></p>', { ctrlKey: true })).toBe(true);
    expect(from('<p></p>', { metaKey: true })).toBe(true);
    expect(from('<p></p>', { altKey: true })).toBe(true);
  });
});
