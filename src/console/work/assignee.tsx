import { useState } from 'react';
import { useHasAnyRole, useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { Field, SelectField } from '../look/fields.tsx';
import style from './work.module.css';

type Ending = keyof typeof texts.work.ending;

const HOUR_MS = 60 * 60_000;
const LASTS_MS: Readonly<Record<Ending, number | null>> = { DONE: null, HOUR: HOUR_MS, SHIFT: 8 * HOUR_MS };
const MAX_ID_LETTERS = 200;

/** Person who gets a session, and the end of the assignment, as fields of the input of assignAgent. */
export interface AssignmentInput {
  readonly agent: string;
  readonly until?: string;
}

/** Fields of a dialog for the person who gets a session and the end of the assignment. */
export function useAssignmentFields() {
  const { viewer } = useViewerAndGateway();
  const isWorker = useHasAnyRole('AGENT', 'AUDITOR');
  const [agent, setAgent] = useState('');
  // The end is computed once, so that pressing the button again after a lost answer sends the same input.
  const [{ ending, until }, setEnd] = useState<{ ending: Ending; until: string | null }>({
    ending: 'DONE',
    until: null,
  });
  const chooseEnding = (next: Ending) => {
    const lasts = LASTS_MS[next];
    setEnd({ ending: next, until: lasts === null ? null : new Date(Date.now() + lasts).toISOString() });
  };
  const fields = (
    <>
      <div className={style.person}>
        <Field
          label={texts.work.person}
          name="agent"
          hint={texts.work.personHint}
          autoFocus
          isRequired
          maxLength={MAX_ID_LETTERS}
          value={agent}
          onChange={setAgent}
        />
        {isWorker && agent !== viewer.id && (
          <Button look="quiet" onPress={() => setAgent(viewer.id)}>
            {texts.work.myself}
          </Button>
        )}
      </div>
      <SelectField
        label={texts.work.ends}
        options={texts.work.ending}
        value={ending}
        onChange={chooseEnding}
      />
    </>
  );
  const assignee: AssignmentInput = { agent: agent.trim(), ...(until && { until }) };
  return { fields, assignee };
}
