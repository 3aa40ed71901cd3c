import { describe, expect, it } from 'vitest';
import { mergeRows } from './config-rows';
import { looksSecret, parseEnv } from './dotenv';

const values = (text: string) => Object.fromEntries(parseEnv(text).entries.map(({ key, value }) => [key, value]));

describe('.env text', () => {
  it('is read line by line', () => {
    expect(values('A=1\n\n# no\nexport B = two words # said\r\nC=\nD=a#b\nURL=http://x/?a=b')).toEqual({
      A: '1',
      B: 'two words',
      C: '',
      D: 'a#b',
      URL: 'http://x/?a=b',
    });
  });
  it('has quotes of three kinds', () => {
    expect(values(`A="x # y"\nB='a\\nb'\nC="a\\nb \\"q\\""\nD=\`it's\`\nE="open`)).toEqual({ A: 'x # y', B: 'a\\nb', C: 'a\nb "q"', D: "it's", E: '"open' });
  });
  it('has values of several lines', () => {
    const { entries, ignored } = parseEnv('KEY="-----BEGIN\nabc\n-----END"\nB=2');
    expect(entries).toEqual([
      { key: 'KEY', value: '-----BEGIN\nabc\n-----END' },
      { key: 'B', value: '2' },
    ]);
    expect(ignored).toEqual([]);
  });
  it('says which lines it does not understand; the later of two counts', () => {
    const { entries, ignored } = parseEnv('\uFEFFA=1\nnonsense\nA=2\n?=3');
    expect(entries).toEqual([{ key: 'A', value: '2' }]);
    expect(ignored).toEqual([2, 4]);
  });
  it('knows secrets by their names', () => {
    for (const key of ['API_KEY', 'DB_PASSWORD', 'token', 'app.secret', 'PRIVATE_KEY']) expect(looksSecret(key), key).toBe(true);
    for (const key of ['KEYBOARD', 'TOKENIZER', 'GREETING', 'PORT']) expect(looksSecret(key), key).toBe(false);
  });
  it('goes over the rows that are there', () => {
    const row = { row: 'r', key: 'A', value: null, secret: true, stored: true };
    const [first, second] = mergeRows([row], [{ key: 'A', value: 'new' }, { key: 'API_TOKEN', value: 't' }], true);
    expect(first).toEqual({ ...row, value: 'new' });
    expect(second).toMatchObject({ key: 'API_TOKEN', value: 't', secret: true, stored: false });
  });
});
