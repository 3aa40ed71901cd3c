import type { Range } from '../../../api/stats';
import { languages } from '../../../i18n';
import { useAxisTimes } from './axis';
import type { Column } from './columns';
import { LegendMark } from './legend';
import type { Point } from './history';


interface Props {
  columns: Column[];
  range: Range;
  language: string;
  /** What the chart adds: the point under the pointer, or the one that the arrow keys went to. */
  active?: boolean;
  payload?: readonly { payload?: Point }[];
}

/** The values of one step, beside the pointer. */
export function PointerBox({ columns, range, language, active, payload }: Props) {
  const { full } = useAxisTimes(range);
  const point = payload?.[0]?.payload;
  if (!active || !point) return null;
  const shown = columns.filter(({ key, fill }) => !fill || fill === 'answered' || point[key]);
  return (
    <div className="pointer-box" dir={languages[language as keyof typeof languages]?.direction ?? 'ltr'}>
      <strong>{full(point.time)}</strong>
      {shown.map((column) => (
        <div key={column.key} className="pointer-row">
          <LegendMark column={column} />
          <span>{column.name}</span>
          <span className="pointer-value">{point[column.key] == null ? '–' : column.format(point[column.key] as number)}</span>
        </div>
      ))}
    </div>
  );
}
