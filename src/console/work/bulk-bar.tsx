import { useState } from 'react';
import { texts } from '../language/texts.ts';
import type { Row } from '../live/rows.ts';
import { Button } from '../look/button.tsx';
import style from './bulk.module.css';
import { BulkAssignDialog, BulkCloseDialog } from './bulk-dialog.tsx';
import type { RowSelection } from './selection.ts';

interface Props {
  /** Number of loaded rows of the list. */
  readonly loaded: number;
  readonly selection: RowSelection;
  /** Called with each session on which an action was performed. */
  readonly onSuccess: (row: Row) => void;
}

const DIALOGS = { ASSIGN: BulkAssignDialog, CLOSE: BulkCloseDialog };

/** Bar below the list of sessions: selects all loaded sessions, and acts on the selected ones. */
export function BulkActionBar({ loaded, selection, onSuccess }: Props) {
  const [open, setOpen] = useState<{ action: keyof typeof DIALOGS; rows: readonly Row[] } | null>(null);
  const { rows } = selection;
  const OpenDialog = open && DIALOGS[open.action];
  return (
    <section aria-label={texts.work.selection} className={style.bar} data-used={rows.length > 0 || undefined}>
      <SelectLoaded loaded={loaded} selection={selection} />
      <p role="status">{rows.length > 0 && texts.work.selected(rows.length)}</p>
      {rows.length > 0 && (
        <>
          <Button onPress={() => setOpen({ action: 'ASSIGN', rows })}>{texts.work.assignSelected}</Button>
          <Button look="danger" onPress={() => setOpen({ action: 'CLOSE', rows })}>
            {texts.work.closeSelected}
          </Button>
          <Button look="quiet" onPress={selection.clear}>
            {texts.work.clearSelection}
          </Button>
        </>
      )}
      {OpenDialog && (
        <OpenDialog
          rows={open.rows}
          onSuccess={(row) => {
            selection.deselect(row.id);
            onSuccess(row);
          }}
          onClose={() => setOpen(null)}
        />
      )}
    </section>
  );
}

function SelectLoaded({ loaded, selection }: Omit<Props, 'onSuccess'>) {
  const count = selection.rows.length;
  const areAll = count === loaded && loaded > 0;
  return (
    <label className={style.all}>
      <input
        type="checkbox"
        checked={areAll}
        disabled={loaded === 0}
        ref={(box) => {
          if (box) box.indeterminate = count > 0 && !areAll;
        }}
        onChange={areAll ? selection.clear : selection.selectAll}
      />
      {texts.work.selectLoaded(loaded)}
    </label>
  );
}
