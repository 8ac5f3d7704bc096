import { type ReactNode, useEffect, useState } from 'react';
import { useClosureFields } from '../acting/close-session.tsx';
import { ConfirmButtons, findFirstMissing } from '../acting/confirm.tsx';
import dialogs from '../acting/dialogs.module.css';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { TranslatedGatewayMessage } from '../language/gateway-text.tsx';
import { texts } from '../language/texts.ts';
import type { Row } from '../live/rows.ts';
import { useStore } from '../live/store.ts';
import { Button } from '../look/button.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Form } from '../look/fields.tsx';
import { Notice } from '../look/notice.tsx';
import { StatusBadge } from '../look/status.tsx';
import { VkycAssignAgent, VkycCloseSession } from '../operations.ts';
import { SessionLink } from '../session/cards.tsx';
import { useAssignmentFields } from './assignee.tsx';
import style from './bulk.module.css';
import { type BulkFailure, BulkRun, type Send } from './bulk-run.ts';

interface BulkProps {
  /** The sessions at the time when the dialog was opened: their versions are sent as `expectedVersion`. */
  readonly rows: readonly Row[];
  /** Called with each session on which the action was performed. */
  readonly onSuccess: (row: Row) => void;
  readonly onClose: () => void;
}

/** Dialog that assigns several sessions to one person. */
export function BulkAssignDialog(props: BulkProps) {
  const { gateway } = useViewerAndGateway();
  const { fields, assignee } = useAssignmentFields();
  const count = props.rows.length;
  const send: Send = async ({ id, version }, idempotencyKey) => {
    const input = { sessionId: id, expectedVersion: version, idempotencyKey, ...assignee };
    return (await gateway.mutate(VkycAssignAgent, { input })).assignAgent;
  };
  return (
    <BulkDialog
      {...props}
      title={texts.work.assignMany(count)}
      send={send}
      missing={findFirstMissing([!assignee.agent, texts.work.choosePerson])}
      label={texts.work.assignMany(count)}
      look="primary"
    >
      {fields}
    </BulkDialog>
  );
}

/** Dialog that ends several sessions with the same outcome and reason. */
export function BulkCloseDialog(props: BulkProps) {
  const { gateway } = useViewerAndGateway();
  const { fields, missing, outcome, closure } = useClosureFields();
  const count = props.rows.length;
  const send: Send = async ({ id, version }, idempotencyKey) => {
    if (!closure) throw new Error('closed without an outcome');
    const input = { sessionId: id, expectedVersion: version, idempotencyKey, ...closure };
    return (await gateway.mutate(VkycCloseSession, { input })).closeSession;
  };
  return (
    <BulkDialog
      {...props}
      title={texts.work.closeMany(count)}
      send={send}
      missing={missing}
      label={outcome ? texts.work.confirmClose[outcome](count) : texts.work.closeMany(count)}
      look="danger"
    >
      <p className={dialogs.now}>{texts.work.notTold}</p>
      {fields}
    </BulkDialog>
  );
}

interface DialogProps extends BulkProps {
  readonly title: string;
  readonly send: Send;
  /** Sentence that names what the form still lacks; null if it is complete. */
  readonly missing: string | null;
  readonly label: string;
  readonly look: 'primary' | 'danger';
  /** Fields of the form. */
  readonly children: ReactNode;
}

/** Dialog that first asks how to act on the sessions, then shows the progress, and at the end what was refused. */
function BulkDialog({ rows, title, send, missing, label, look, onSuccess, onClose, children }: DialogProps) {
  const [run, setRun] = useState<BulkRun | null>(null);
  useEffect(() => () => run?.stop(), [run]);
  if (run) return <RunDialog run={run} title={title} onClose={onClose} />;
  const start = () => {
    const next = new BulkRun(send, onSuccess);
    setRun(next);
    void next.start(rows);
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <Form>
        {children}
        <ConfirmButtons
          missing={missing}
          label={label}
          look={look}
          isPending={false}
          onConfirm={start}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}

function RunDialog({ run, title, onClose }: { run: BulkRun; title: string; onClose: () => void }) {
  const { total, succeeded, refused, stopped, isRunning } = useStore(run);
  const done = succeeded + refused.length;
  const retries = refused.filter(({ retry }) => retry).length;
  // The first Escape stops the run, so that the user sees how far it came.
  const end = () => (isRunning ? run.stop() : onClose());
  return (
    <Dialog title={title} onClose={end}>
      <div className={style.run}>
        <progress max={total} value={done} aria-label={title} />
        <p role="status">
          {isRunning ? texts.work.progress(done, total) : texts.work.result(succeeded, total)}
          {stopped > 0 && ` ${texts.work.stopped(stopped)}`}
        </p>
        {!isRunning && refused.length > 0 && (
          <Notice tone="trouble">
            <h3>{texts.work.refused}</h3>
            <ul className={style.refused}>
              {refused.map((each) => (
                <RefusedEntry key={each.row.id} refused={each} />
              ))}
            </ul>
          </Notice>
        )}
        <div className={dialogs.buttons}>
          {!isRunning && retries > 0 && (
            <Button onPress={() => void run.retry()}>{texts.work.retry(retries)}</Button>
          )}
          <Button look="primary" autoFocus onPress={end}>
            {isRunning ? texts.work.stop : texts.work.close}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

/** Session on which the action was not performed, with the reason, and its step if that has changed. */
function RefusedEntry({ refused: { row, reason, current } }: { refused: BulkFailure }) {
  const problems = 'problems' in reason ? reason.problems.map(({ message }) => message) : [];
  return (
    <li>
      <b>
        <SessionLink session={row} />
      </b>{' '}
      {current ? (
        <>
          {texts.work.changed} <StatusBadge of={current.statusInfo} />
        </>
      ) : (
        <TranslatedGatewayMessage
          of={problems.length > 0 ? { code: reason.code, message: problems.join(', ') } : reason}
        />
      )}
    </li>
  );
}
