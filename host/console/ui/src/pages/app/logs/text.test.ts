import { expect, test } from 'vitest';
import { pieces, plain } from './text';
import { viewOf } from './use-filter';

test('terminal colours, titles and line ends are left out', () => {
  expect(plain('\u001b[1;31merror\u001b[0m: no\u001b[K\n')).toBe('error: no');
  expect(plain('\u001b]0;title\u0007text\u001b]8;;http://x\u001b\\link')).toBe('textlink');
  expect(plain('one\r\ntwo\ttabs')).toBe('one\ntwo\ttabs');
});

test('what could not be seen, or would turn the text around, is shown as such', () => {
  expect(plain('a\u0000b\u202ec')).toBe('a\ufffdb\ufffdc');
});

test('what was searched for is marked, whatever its case', () => {
  expect(pieces('Foo bar foo', 'FOO')).toEqual([
    { text: 'Foo', found: true },
    { text: ' bar ', found: false },
    { text: 'foo', found: true },
  ]);
  expect(pieces('nothing', 'x')).toEqual([{ text: 'nothing', found: false }]);
  expect(pieces('', 'x')).toEqual([{ text: '', found: false }]);
});

test('an address says which lines; nonsense in it does not count', () => {
  expect(viewOf(new URLSearchParams('level=warn&source=stderr&search=a&request=r&wrap=no'))).toEqual({
    level: 'warn',
    source: 'stderr',
    search: 'a',
    request: 'r',
    wrap: false,
  });
  expect(viewOf(new URLSearchParams('level=loud&source=moon&search='))).toEqual({ wrap: true });
});
