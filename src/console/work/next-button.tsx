import { useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { MutationFailureNotice, useMutation } from '../acting/mutation.tsx';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { Select } from '../look/fields.tsx';
import { useShortcutKeys } from '../look/keys.ts';
import { Notice } from '../look/notice.tsx';
import { type Queue, type Role, VkycClaimNext, type VkycClaimNextMutation } from '../operations.ts';
import { readChosenQueue, storeChosenQueue } from './chosen-queue.ts';
import style from './work.module.css';

/** Roles that may take work from each queue, as in the gateway. */
const QUEUE_ROLES: Readonly<Record<Queue, readonly Role[]>> = {
  AGENT: ['AGENT', 'ADMIN'],
  AUDITOR: ['AUDITOR', 'ADMIN'],
};
const QUEUES = Object.keys(QUEUE_ROLES) as Queue[];

/**
 * Button of the header that takes the next session of a queue and opens it. Renders nothing for roles without a queue;
 * a viewer with several queues also gets a list to choose from. The `c` key presses the button.
 */
export function ClaimNextButton() {
  const { viewer } = useViewerAndGateway();
  const queues = QUEUES.filter((queue) => QUEUE_ROLES[queue].some((role) => viewer.roles.includes(role)));
  return queues.length > 0 && <Next queues={queues} />;
}

/** Message below the button, which is shown until the user goes to another page. */
interface Said {
  readonly text: string;
  /** Path of the page on which the message is shown. */
  readonly path: string;
}

function Next({ queues }: { queues: readonly Queue[] }) {
  const { gateway } = useViewerAndGateway();
  const [path, navigate] = useLocation();
  const mutation = useMutation<VkycClaimNextMutation['claimNext']>();
  const [chosen, setChosen] = useState(readChosenQueue);
  const [said, setSaid] = useState<Said | null>(null);
  /** Path of the page on which the user pressed the button last. */
  const [pressedOn, setPressedOn] = useState<string | null>(null);
  const answers = useRef(0);
  const queue = queues.find((each) => each === chosen) ?? (queues[0] as Queue);

  const take = () => {
    if (mutation.pending) return;
    setSaid(null);
    setPressedOn(path);
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycClaimNext, { input: { queue, idempotencyKey } })).claimNext;
    // With the number of answers in the input, each press has its own idempotency key, except the press after a lost
    // answer: it repeats the claim.
    void mutation.run(call, { queue, answer: answers.current }, (answer) => {
      answers.current += 1;
      if (answer.__typename === 'QueueEmpty') return setSaid({ text: texts.work.queueEmpty[queue], path });
      const page = `/sessions/${encodeURIComponent(answer.session.id)}`;
      if (answer.replayed) setSaid({ text: texts.work.stillYours, path: page });
      navigate(page);
    });
  };
  useShortcutKeys(['c'], take);

  const { refusal, failure } = mutation;
  return (
    <div className={style.next}>
      {queues.length > 1 && (
        <Select
          label={texts.work.queue}
          hideLabel
          options={texts.work.queues}
          value={queue}
          onChange={(next) => {
            storeChosenQueue(next);
            setChosen(next);
          }}
        />
      )}
      <Button look="primary" aria-keyshortcuts="c" isPending={mutation.pending} onPress={take}>
        {texts.work.next}
      </Button>
      {(refusal || failure) && pressedOn === path && (
        <div className={style.said}>
          <MutationFailureNotice mutation={mutation} />
        </div>
      )}
      {said?.path === path && (
        <div className={style.said}>
          <Notice tone="trouble">
            <div className={style.line}>
              <p>{said.text}</p>
              <Button look="quiet" aria-label={texts.work.dismiss} onPress={() => setSaid(null)}>
                <span aria-hidden>✕</span>
              </Button>
            </div>
          </Notice>
        </div>
      )}
    </div>
  );
}
