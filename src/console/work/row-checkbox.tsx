import { texts } from '../language/texts.ts';
import type { Row } from '../live/rows.ts';
import style from './bulk.module.css';
import type { RowSelection } from './selection.ts';

interface Props {
  readonly row: Row;
  readonly isSelected: boolean;
  readonly onToggle: RowSelection['toggle'];
}

/** Checkbox of a row. With the shift key, it toggles all rows from the one toggled before. */
export function RowCheckbox({ row, isSelected, onToggle }: Props) {
  return (
    // The label widens the target: it is as high as the row.
    <label className={style.pick}>
      <input
        type="checkbox"
        aria-label={texts.work.selectSession(row.verificationId)}
        aria-keyshortcuts="x"
        checked={isSelected}
        onChange={({ nativeEvent }) => onToggle(row.id, (nativeEvent as MouseEvent).shiftKey)}
      />
    </label>
  );
}
