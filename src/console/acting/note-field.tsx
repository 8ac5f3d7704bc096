import { texts } from '../language/texts.ts';
import { Field } from '../look/fields.tsx';

const MAX_NOTE = 2_000;

interface Props {
  readonly label?: string;
  readonly isOptional?: boolean;
  /** Whether the field gets the focus when the dialog opens: true if it is the first field. */
  readonly isFirst?: boolean;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** Text area for a note that only staff can read. */
export function NoteField({
  label = texts.acting.note,
  isOptional = false,
  isFirst = false,
  value,
  onChange,
}: Props) {
  return (
    <Field
      label={isOptional ? texts.acting.optional(label) : label}
      name="note"
      rows={4}
      maxLength={MAX_NOTE}
      autoFocus={isFirst}
      isRequired={!isOptional}
      value={value}
      onChange={onChange}
      hint={texts.acting.staffOnly}
    />
  );
}
