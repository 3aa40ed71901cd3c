import { type RefObject, useLayoutEffect, useState } from 'react';

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
