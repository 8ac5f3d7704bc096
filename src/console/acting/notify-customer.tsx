import { useState } from 'react';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { Dialog } from '../look/dialog.tsx';
import { Form, SelectField } from '../look/fields.tsx';
import { NOTIFICATION_KIND_LABELS } from '../look/labels.ts';
import { type NotificationKind, VkycNotifyCustomer, type VkycNotifyCustomerMutation } from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import { ConfirmButtons, findFirstMissing } from './confirm.tsx';
import { MutationFailureNotice, useMutation } from './mutation.tsx';

/** Dialog that notifies the customer. No version is sent: the gateway refuses what does not fit the session. */
export function NotifyCustomerDialog({ session, onDone, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycNotifyCustomerMutation['notifyCustomer']>();
  const [kind, setKind] = useState<NotificationKind | null>(null);

  const notify = () => {
    if (!kind) return;
    const input = { sessionId: session.id, kind };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycNotifyCustomer, { input: { ...input, idempotencyKey } })).notifyCustomer;
    void mutation.run(call, input, (success) => onDone(success.session));
  };

  return (
    <Dialog title={texts.acting.notify.title} onClose={onClose}>
      <Form problems={mutation.problems}>
        <SelectField
          label={texts.acting.notify.kind}
          options={NOTIFICATION_KIND_LABELS}
          value={kind}
          onChange={setKind}
        />
        <MutationFailureNotice mutation={mutation} before={session} fields={[]} />
        <ConfirmButtons
          missing={findFirstMissing([!kind, texts.acting.notify.missing])}
          label={texts.acting.notify.confirm}
          look="primary"
          isPending={mutation.pending}
          onConfirm={notify}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}
