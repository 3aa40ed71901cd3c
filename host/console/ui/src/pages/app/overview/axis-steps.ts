/** So many steps on an axis, more or less. */
const TICKS = 4;

/** Round steps from nought to at least `top`. */
export function axisSteps(top: number, { bytes, whole }: { bytes: boolean; whole: boolean }): number[] {
  const wanted = (top > 0 ? top * 1.05 : 1) / TICKS;
  const base = bytes ? 1024 ** Math.floor(Math.log(Math.max(1, wanted)) / Math.log(1024)) : 10 ** Math.floor(Math.log10(wanted));
  const factors = bytes ? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] : [1, 2, 2.5, 5, 10];
  let step = base * (factors.find((factor) => factor * base >= wanted) ?? 10);
  if (whole) step = Math.max(1, Math.ceil(step));
  const count = Math.max(1, Math.ceil(top / step));
  return Array.from({ length: count + 1 }, (_, index) => step * index);
}
