import { Swatch } from './patterns';
import { type Column, DASHES } from './columns';

/** How a column is drawn: its pattern, or its line. */
export function LegendMark({ column }: { column: Pick<Column, 'fill' | 'line'> }) {
  if (column.fill) return <Swatch outcome={column.fill} />;
  const line = column.line ?? 'cores';
  return (
    <svg width="24" height="8" aria-hidden className="swatch">
      <line x1="0" y1="4" x2="24" y2="4" stroke={`var(--chart-${line})`} strokeWidth="2.5" strokeDasharray={DASHES[line]} />
    </svg>
  );
}

/** What the lines and bars are. */
export function Legend({ columns, limit }: { columns: Column[]; limit?: string }) {
  if (columns.length === 1 && !limit) return null;
  return (
    <ul className="legend">
      {columns.map((column) => (
        <li key={column.key}>
          <LegendMark column={column} />
          {column.name}
        </li>
      ))}
      {limit && (
        <li>
          <svg width="24" height="8" aria-hidden className="swatch">
            <line x1="0" y1="4" x2="24" y2="4" className="chart-limit-mark" strokeDasharray="10 4" />
          </svg>
          {limit}
        </li>
      )}
    </ul>
  );
}
