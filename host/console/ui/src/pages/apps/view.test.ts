import { describe, expect, it } from 'vitest';
import { fitting } from './columns';
import { isFiltered, NO_FILTERS, parseColumns, parseView, writeView } from './view';

const read = (text: string) => parseView(new URLSearchParams(text));
const write = (text: string) => writeView(read(text), new URLSearchParams(text)).toString();

describe('the view in the address', () => {
  it('is usual where the address says nothing', () => {
    expect(read('')).toEqual({ search: '', filters: NO_FILTERS, sort: 'name', descending: false, columns: null });
    expect(write('')).toBe('');
  });

  it('comes back as it was written', () => {
    const address = 'q=shop+front&status=failed&status=stopped&component=hello&tag=live&sort=-cpu&columns=status%2Ccpu';
    const view = read(address);
    expect(view.filters).toEqual({ status: ['failed', 'stopped'], environment: [], component: ['hello'], tag: ['live'] });
    expect([view.sort, view.descending]).toEqual(['cpu', true]);
    expect(view.columns).toEqual(['status', 'cpu']);
    expect(read(write(address))).toEqual(view);
  });

  it('leaves out what it does not understand', () => {
    const view = read('status=bogus&status=failed&status=failed&sort=-bogus&columns=bogus,memory&tag=');
    expect(view.filters.status).toEqual(['failed']);
    expect(view.filters.tag).toEqual([]);
    expect([view.sort, view.descending]).toEqual(['name', false]);
    expect(view.columns).toEqual(['memory']);
  });

  it('keeps what else stands in the address', () => {
    expect(write('other=1&sort=name')).toBe('other=1');
  });

  it('tells a choice of no column from no choice', () => {
    expect(parseColumns('')).toEqual([]);
    expect(parseColumns(null)).toBeNull();
  });

  it('knows whether anything is filtered', () => {
    expect(isFiltered(read('sort=-cpu'))).toBe(false);
    expect(isFiltered(read('q=+'))).toBe(false);
    expect(isFiltered(read('tag=live'))).toBe(true);
  });
});

describe('fitting', () => {
  it('has the status first and everything where there is room', () => {
    expect(fitting(600)).toEqual(['status']);
    expect(fitting(2_000)).toHaveLength(9);
  });

  it('never shows a lesser column instead of a more important one', () => {
    const counts = [700, 900, 1_100, 1_300, 1_500].map((width) => fitting(width).length);
    expect([...counts].sort((a, b) => a - b)).toEqual(counts);
  });
});
