import { useEffect, useState } from 'react';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { Button } from '../look/button.tsx';
import { CopyButton } from '../look/copy.tsx';
import { Dialog } from '../look/dialog.tsx';
import { LocalAndIndianTime } from '../look/time.tsx';
import {
  VkycCreateSdkToken,
  type VkycCreateSdkTokenMutation,
  VkycRefreshSession,
  type VkycRefreshSessionMutation,
  VkycRequestRecording,
  type VkycRequestRecordingMutation,
} from '../operations.ts';
import style from './act.module.css';
import type { ActionDialogProps } from './actions.tsx';
import { MutationNotice, useMutation } from './mutation.tsx';

/** Asks the provider how the session is, now. */
export function RefreshDialog({ session, onDone, onClose }: ActionDialogProps) {
  const { gateway } = useSignedIn();
  const act = useMutation<VkycRefreshSessionMutation['refreshSession']>();
  const [said, setSaid] = useState('Asking the provider …');
  const ask = () => {
    const call = async () =>
      (await gateway.mutate(VkycRefreshSession, { sessionId: session.id })).refreshSession;
    void act.run(call, session.id, ({ changed, session: now }) => {
      setSaid(changed ? 'The provider told of something new.' : 'Nothing has changed.');
      onDone(now, { stay: true });
    });
  };
  useOnMount(ask);
  return (
    <Dialog title="Ask the provider" onClose={onClose}>
      {!act.refusal && !act.failure && <p role="status">{said}</p>}
      <MutationNotice act={act} before={session} />
      <RetryButtons act={act} again={ask} onClose={onClose} />
    </Dialog>
  );
}

/** Asks for the recording of the call. That somebody did is on record. */
export function RecordingDialog({ session, onClose }: ActionDialogProps) {
  const { gateway } = useSignedIn();
  const act = useMutation<VkycRequestRecordingMutation['requestRecording']>();
  const [found, setFound] = useState<{ url: string; expiresAt: string | null } | null>(null);
  const ask = () => {
    const call = async () =>
      (await gateway.mutate(VkycRequestRecording, { sessionId: session.id })).requestRecording;
    void act.run(call, session.id, ({ recording }) => setFound(recording));
  };
  return (
    <Dialog title="Watch the recording" onClose={onClose}>
      {found ? (
        <p>
          <a href={found.url} target="_blank" rel="noreferrer">
            Open the recording
          </a>
          {found.expiresAt && (
            <>
              {' '}
              until <LocalAndIndianTime at={found.expiresAt} />
            </>
          )}
        </p>
      ) : (
        <p>The link lives for a short while. It is recorded that you asked for it.</p>
      )}
      <MutationNotice act={act} before={session} />
      <div className={style.buttons}>
        <Button onPress={onClose}>Close</Button>
        {!found && (
          <Button look="primary" onPress={ask} isPending={act.pending}>
            Get the link
          </Button>
        )}
      </div>
    </Dialog>
  );
}

/** Makes a token with which the customer's app opens the call. */
export function SdkTokenDialog({ session, onClose }: ActionDialogProps) {
  const { gateway } = useSignedIn();
  const act = useMutation<VkycCreateSdkTokenMutation['createSdkToken']>();
  const [token, setToken] = useState<string | null>(null);
  const ask = () => {
    const call = async () =>
      (await gateway.mutate(VkycCreateSdkToken, { sessionId: session.id })).createSdkToken;
    void act.run(call, session.id, (success) => setToken(success.token));
  };
  return (
    <Dialog title="Create an SDK token" onClose={onClose}>
      {token ? (
        <p className={style.link}>
          <code>{token}</code>
          <CopyButton text={token} what="token" />
        </p>
      ) : (
        <p>With it the customer's app opens the call without a one-time password. Give it to nobody else.</p>
      )}
      <MutationNotice act={act} before={session} />
      <div className={style.buttons}>
        <Button onPress={onClose}>Close</Button>
        {!token && (
          <Button look="primary" onPress={ask} isPending={act.pending}>
            Create
          </Button>
        )}
      </div>
    </Dialog>
  );
}

function RetryButtons({
  act,
  again,
  onClose,
}: {
  act: { refusal: unknown; failure: unknown; pending: boolean };
  again: () => void;
  onClose: () => void;
}) {
  return (
    <div className={style.buttons}>
      {(act.refusal !== null || act.failure !== null) && (
        <Button onPress={again} isPending={act.pending}>
          Ask again
        </Button>
      )}
      <Button look="primary" onPress={onClose}>
        Close
      </Button>
    </div>
  );
}

/** Does it when the dialog opens. */
function useOnMount(work: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, with what there is then
  useEffect(work, []);
}
