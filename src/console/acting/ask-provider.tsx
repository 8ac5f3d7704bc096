import { useEffect, useState } from 'react';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { TextWithElements } from '../language/sentence.tsx';
import { texts } from '../language/texts.ts';
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
import type { ActionDialogProps } from './action-dialog.ts';
import style from './dialogs.module.css';
import { MutationFailureNotice, useMutation } from './mutation.tsx';

/**
 * Dialog that asks the provider for the session's current state as soon as it opens, and shows whether the
 * state has changed.
 */
export function RefreshDialog({ session, onDone, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycRefreshSessionMutation['refreshSession']>();
  const [message, setMessage] = useState(texts.acting.refresh.asking);
  const ask = () => {
    const call = async () =>
      (await gateway.mutate(VkycRefreshSession, { sessionId: session.id })).refreshSession;
    void mutation.run(call, session.id, ({ changed, session: now }) => {
      setMessage(changed ? texts.acting.refresh.changed : texts.acting.refresh.unchanged);
      onDone(now, { stay: true });
    });
  };
  useOnMount(ask);
  return (
    <Dialog title={texts.acting.refresh.title} onClose={onClose}>
      {!mutation.refusal && !mutation.failure && <p role="status">{message}</p>}
      <MutationFailureNotice mutation={mutation} before={session} />
      <RetryButtons mutation={mutation} onRetry={ask} onClose={onClose} />
    </Dialog>
  );
}

/**
 * Dialog that gets a link to the recording of the call. The gateway records in its audit log who asked for
 * the link.
 */
export function RecordingLinkDialog({ session, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycRequestRecordingMutation['requestRecording']>();
  const [found, setFound] = useState<{ url: string; expiresAt: string | null } | null>(null);
  const ask = () => {
    const call = async () =>
      (await gateway.mutate(VkycRequestRecording, { sessionId: session.id })).requestRecording;
    void mutation.run(call, session.id, ({ recording }) => setFound(recording));
  };
  return (
    <Dialog title={texts.acting.recording.title} onClose={onClose}>
      {found ? (
        <p>
          <a href={found.url} target="_blank" rel="noreferrer">
            {texts.acting.recording.open}
          </a>
          {found.expiresAt && (
            <TextWithElements
              parts={texts.acting.recording.worksUntil(<LocalAndIndianTime at={found.expiresAt} />)}
            />
          )}
        </p>
      ) : (
        <p>{texts.acting.recording.about}</p>
      )}
      <MutationFailureNotice mutation={mutation} before={session} />
      <div className={style.buttons}>
        <Button onPress={onClose}>{texts.frame.close}</Button>
        {!found && (
          <Button look="primary" onPress={ask} isPending={mutation.pending}>
            {texts.acting.recording.confirm}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

/** Dialog that creates a token with which the customer's app can open the call. */
export function SdkTokenDialog({ session, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycCreateSdkTokenMutation['createSdkToken']>();
  const [token, setToken] = useState<string | null>(null);
  const ask = () => {
    const call = async () =>
      (await gateway.mutate(VkycCreateSdkToken, { sessionId: session.id })).createSdkToken;
    void mutation.run(call, session.id, (success) => setToken(success.token));
  };
  return (
    <Dialog title={texts.acting.sdkToken.title} onClose={onClose}>
      {token ? (
        <p className={style.link}>
          <code>{token}</code>
          <CopyButton text={token} what={texts.acting.sdkToken.token} />
        </p>
      ) : (
        <p>{texts.acting.sdkToken.about}</p>
      )}
      <MutationFailureNotice mutation={mutation} before={session} />
      <div className={style.buttons}>
        <Button onPress={onClose}>{texts.frame.close}</Button>
        {!token && (
          <Button look="primary" onPress={ask} isPending={mutation.pending}>
            {texts.acting.sdkToken.confirm}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

function RetryButtons({
  mutation,
  onRetry,
  onClose,
}: {
  mutation: { refusal: unknown; failure: unknown; pending: boolean };
  onRetry: () => void;
  onClose: () => void;
}) {
  return (
    <div className={style.buttons}>
      {(mutation.refusal !== null || mutation.failure !== null) && (
        <Button onPress={onRetry} isPending={mutation.pending}>
          {texts.acting.tryAgain}
        </Button>
      )}
      <Button look="primary" onPress={onClose}>
        {texts.frame.close}
      </Button>
    </div>
  );
}

/** Calls `work` once, when the component is mounted. */
function useOnMount(work: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs once, with the first render's `work`
  useEffect(work, []);
}
