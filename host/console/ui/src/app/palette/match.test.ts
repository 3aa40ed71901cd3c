import { describe, expect, it } from 'vitest';
import { match, matchAny } from './match';

const best = (query: string, texts: string[]) =>
  texts
    .map((text) => ({ text, found: match(query, text) }))
    .filter((one) => one.found !== null)
    .sort((a, b) => (b.found?.score ?? 0) - (a.found?.score ?? 0))
    .map((one) => one.text);

describe('match', () => {
  it('finds letters in their order and marks them', () => {
    expect(match('shp', 'Shop front')?.at).toEqual([0, 1, 3]);
    expect(match('front', 'Shop front')?.at).toEqual([5, 6, 7, 8, 9]);
    expect(match('sf', 'Shop front')?.at).toEqual([0, 5]);
    expect(match('pf', 'xyz')).toBeNull();
    expect(match('fs', 'Shop front')).toBeNull();
  });

  it('wants every word', () => {
    expect(match('stop desk', 'Stop Help desk')).not.toBeNull();
    expect(match('stop bogus', 'Stop Help desk')).toBeNull();
  });

  it('finds everything for nothing', () => expect(match(' ', 'Shop')?.at).toEqual([]));

  it('has whole words before beginnings, those before insides, those before scattered letters', () => {
    expect(best('app', ['a place of peace', 'Snapper', 'Apples', 'App'])).toEqual(['App', 'Apples', 'Snapper', 'a place of peace']);
  });

  it('has the shorter one first among equals', () => {
    expect(best('hello', ['hello 100', 'hello 1'])).toEqual(['hello 1', 'hello 100']);
  });

  it('knows no accents and no case, and keeps positions', () => {
    expect(match('cafe', 'LE CAFÉ')?.at).toEqual([3, 4, 5, 6]);
    expect(match('한', '서울 한강')?.at).toEqual([3]);
  });

  it('does not find letters far apart', () => expect(match('ax', 'a very long text with an x')).toBeNull());
});

describe('matchAny', () => {
  it('finds by other words, a little later than by the title', () => {
    const byTitle = matchAny('shop', 'shop', ['other']);
    const byOther = matchAny('shop', 'other', ['shop']);
    expect(byOther?.at).toEqual([]);
    expect(byTitle?.score).toBeGreaterThan(byOther?.score ?? Infinity);
  });

  it('finds words that are spread over title and others', () => {
    expect(matchAny('front example.com', 'Shop front', ['shop.example.com'])).not.toBeNull();
    expect(matchAny('front example.org', 'Shop front', ['shop.example.com'])).toBeNull();
  });
});
