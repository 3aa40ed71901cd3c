import { type RefObject, useEffect, useLayoutEffect, useState } from 'react';

/** Kept free beneath the table, in pixels. */
const BELOW = 24;

export interface Room {
  width: number;
  height: number;
}

/** The room a table has: the width of its frame, and the height from where it begins to the window's end. */
export function useRoom(frame: RefObject<HTMLElement | null>): Room {
  const [room, setRoom] = useState<Room>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const measure = () => {
      const top = element.getBoundingClientRect().top + window.scrollY;
      const next = { width: Math.floor(element.clientWidth), height: Math.floor(window.innerHeight - top - BELOW) };
      setRoom((old) => (old.width === next.width && old.height === next.height ? old : next));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    // What stands above it moves it without changing its size.
    observer.observe(document.body);
    window.addEventListener('resize', measure);
    return () => {
      observer.disconnect();
      window.removeEventListener('resize', measure);
    };
  }, [frame]);
  return room;
}

/**
 * The rows of a virtual table are no rows of an HTML table, so that screen readers would find a table without any:
 * roles make it one again. The rows' and cells' own roles come with them.
 */
export function useTableRoles(frame: RefObject<HTMLElement | null>, virtual: boolean, rows: number, label: string) {
  useEffect(() => {
    // Ant Design measures columns with a hidden copy of their heads: nobody shall get into it by the Tab key.
    for (const element of frame.current?.querySelectorAll('.ant-table-measure-row') ?? []) element.setAttribute('inert', '');
    if (!virtual) return;
    const set = (selector: string, attributes: Record<string, string>) => {
      for (const element of frame.current?.querySelectorAll(selector) ?? []) {
        for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      }
    };
    set('.ant-table-container', { role: 'table', 'aria-label': label, 'aria-rowcount': String(rows + 1) });
    set('.ant-table-header table', { role: 'presentation' });
    set('.ant-table-thead', { role: 'rowgroup' });
    set('.ant-table-thead > tr', { role: 'row' });
    set('.ant-table-thead > tr > th', { role: 'columnheader' });
    set('.ant-table-tbody-virtual-holder-inner', { role: 'rowgroup' });
  });
}
