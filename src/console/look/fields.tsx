import { createContext, type ReactNode, use, useMemo, useState } from 'react';
import { FieldError } from 'react-aria-components/FieldError';
import { Form as AriaForm } from 'react-aria-components/Form';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { Radio, RadioGroup } from 'react-aria-components/RadioGroup';
import { Text } from 'react-aria-components/Text';
import { TextArea } from 'react-aria-components/TextArea';
import { TextField, type TextFieldProps } from 'react-aria-components/TextField';
import style from './fields.module.css';

interface FormProps {
  /** What was found wrong, by the name of the field; another object where something was found anew. */
  readonly problems?: Readonly<Record<string, string>>;
  readonly onSubmit: () => void;
  readonly children: ReactNode;
}

/** Tells the form of a field that somebody types in it. */
const Mending = createContext<(name: string) => void>(() => {});

/**
 * A form whose fields show what is wrong with them, until somebody types there: where it went away only as they leave
 * the field, the button that they are about to press would move from under their finger.
 */
export function Form({ problems = NONE, onSubmit, children }: FormProps) {
  const [mended, setMended] = useState<Mended>({ of: problems, names: [] });
  const left = useMemo(() => {
    const names = mended.of === problems ? mended.names : [];
    return Object.fromEntries(Object.entries(problems).filter(([name]) => !names.includes(name)));
  }, [problems, mended]);
  const mend = (name: string) => {
    if (!(name in left)) return;
    setMended({ of: problems, names: [...(mended.of === problems ? mended.names : []), name] });
  };
  return (
    <Mending value={mend}>
      <AriaForm
        validationBehavior="aria"
        validationErrors={left}
        className={style.form!}
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        {children}
      </AriaForm>
    </Mending>
  );
}

const NONE = {};

interface Mended {
  /** The problems of which some have been mended: others begin anew. */
  readonly of: FormProps['problems'];
  readonly names: readonly string[];
}

interface FieldProps extends TextFieldProps {
  readonly label: string;
  /** What to put in, or what comes of it. */
  readonly hint?: ReactNode;
  readonly placeholder?: string | undefined;
  readonly rows?: number;
  readonly inputType?: 'text' | 'datetime-local' | 'password' | 'tel' | 'email';
}

/** A line of text, or where `rows` is given several. */
export function Field({
  label,
  hint,
  placeholder,
  rows,
  inputType = 'text',
  onChange,
  ...props
}: FieldProps) {
  const mend = use(Mending);
  const shown = placeholder === undefined ? {} : { placeholder };
  return (
    <TextField
      {...props}
      className={style.field!}
      onChange={(value) => {
        mend(props.name ?? '');
        onChange?.(value);
      }}
    >
      <Label>{label}</Label>
      {rows ? <TextArea rows={rows} {...shown} /> : <Input type={inputType} {...shown} />}
      {hint && <Text slot="description">{hint}</Text>}
      <FieldError className={style.wrong!} />
    </TextField>
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly options: Readonly<Record<Value, string>>;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

/** One of a few. */
export function Choice<Value extends string>({ label, options, value, onChange }: ChoiceProps<Value>) {
  return (
    <RadioGroup value={value} onChange={(chosen) => onChange(chosen as Value)} className={style.field!}>
      <Label>{label}</Label>
      <div className={style.options}>
        {(Object.entries(options) as [Value, string][]).map(([each, said]) => (
          <Radio key={each} value={each} className={style.option!}>
            {said}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}

interface SelectProps<Value extends string> extends ChoiceProps<Value> {
  /** The options say by themselves what they are of: only who cannot see them is told the label. */
  readonly hideLabel?: boolean;
}

/** One of many, in the browser's own list. */
export function Select<Value extends string>({
  label,
  options,
  value,
  onChange,
  hideLabel = false,
}: SelectProps<Value>) {
  return (
    <label className={style.select}>
      <span className={hideLabel ? 'hidden' : undefined}>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value as Value)}>
        {(Object.entries(options) as [Value, string][]).map(([each, said]) => (
          <option key={each} value={each}>
            {said}
          </option>
        ))}
      </select>
    </label>
  );
}
