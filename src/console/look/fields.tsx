import { createContext, type ReactNode, use, useId, useMemo, useState } from 'react';
import { Checkbox } from 'react-aria-components/Checkbox';
import { CheckboxGroup } from 'react-aria-components/CheckboxGroup';
import { FieldError } from 'react-aria-components/FieldError';
import { Form as AriaForm } from 'react-aria-components/Form';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { Radio, RadioGroup } from 'react-aria-components/RadioGroup';
import { Text } from 'react-aria-components/Text';
import { TextArea } from 'react-aria-components/TextArea';
import { TextField, type TextFieldProps } from 'react-aria-components/TextField';
import { texts } from '../language/texts.ts';
import style from './fields.module.css';

interface FormProps {
  /**
   * Error messages by field name. A new object shows all its messages, even if the user has dismissed the
   * same messages by typing.
   */
  readonly problems?: Readonly<Record<string, string>>;
  /**
   * Called when the user presses the submit button, or Enter in a field. Left out in dialogs that record a decision:
   * Enter must not record one.
   */
  readonly onSubmit?: () => void;
  readonly children: ReactNode;
}

/** Context through which a field tells its form that the user has typed in the field. */
const OnEdit = createContext<(name: string) => void>(() => {});

/**
 * Form that hides the error of a field as soon as the user types in the field. Hiding it only when the field
 * loses focus would move the submit button while the user presses it, so that the press would miss.
 */
export function Form({ problems = NONE, onSubmit, children }: FormProps) {
  const [cleared, setCleared] = useState<Cleared>({ of: problems, names: [] });
  const left = useMemo(() => {
    const names = cleared.of === problems ? cleared.names : [];
    return Object.fromEntries(Object.entries(problems).filter(([name]) => !names.includes(name)));
  }, [problems, cleared]);
  const clear = (name: string) => {
    if (!(name in left)) return;
    setCleared({ of: problems, names: [...(cleared.of === problems ? cleared.names : []), name] });
  };
  return (
    <OnEdit value={clear}>
      <AriaForm
        validationBehavior="aria"
        validationErrors={left}
        className={style.form!}
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit?.();
        }}
      >
        {children}
      </AriaForm>
    </OnEdit>
  );
}

const NONE = {};

/** Fields whose error is hidden because the user has typed in them. */
interface Cleared {
  /**
   * Error messages that the form showed when the user typed. If the form has other messages now, `names` is
   * ignored.
   */
  readonly of: FormProps['problems'];
  readonly names: readonly string[];
}

interface FieldProps extends TextFieldProps {
  readonly label: string;
  /** Text below the field: the expected input, or the meaning of the value. */
  readonly hint?: ReactNode;
  readonly placeholder?: string | undefined;
  readonly rows?: number;
  readonly inputType?: 'text' | 'datetime-local' | 'password' | 'tel' | 'email';
}

/** Text field with a label. If `rows` is set, the field is a text area. */
export function Field({
  label,
  hint,
  placeholder,
  rows,
  inputType = 'text',
  onChange,
  ...props
}: FieldProps) {
  const onEdit = use(OnEdit);
  const shown = placeholder === undefined ? {} : { placeholder };
  return (
    <TextField
      {...props}
      className={style.field!}
      onChange={(value) => {
        onEdit(props.name ?? '');
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
  /** Meaning of each option, shown below the option's label. */
  readonly meanings?: Readonly<Record<Value, string>>;
  /** Null until the user has chosen: no option is preselected. */
  readonly value: Value | null;
  readonly onChange: (value: Value) => void;
}

/** Radio group for one choice out of a few. */
export function RadioField<Value extends string>({
  label,
  options,
  meanings,
  value,
  onChange,
}: ChoiceProps<Value>) {
  return (
    <RadioGroup
      value={value}
      isRequired
      onChange={(chosen) => onChange(chosen as Value)}
      className={style.field!}
    >
      <Label>{label}</Label>
      <div className={meanings ? style.stack : style.options}>
        {(Object.entries(options) as [Value, string][]).map(([each, text]) => (
          <Radio key={each} value={each} className={style.option!}>
            <span>
              {text}
              {meanings && <small> {meanings[each]}</small>}
            </span>
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}

interface ChecksProps<Value extends string> {
  readonly label: string;
  readonly name: string;
  readonly options: Readonly<Record<Value, string>>;
  readonly values: readonly Value[];
  readonly onChange: (values: Value[]) => void;
}

/** Group of checkboxes for any number of choices. */
export function CheckboxField<Value extends string>({
  label,
  name,
  options,
  values,
  onChange,
}: ChecksProps<Value>) {
  const onEdit = use(OnEdit);
  return (
    <CheckboxGroup
      name={name}
      value={[...values]}
      onChange={(chosen) => {
        onEdit(name);
        onChange(chosen as Value[]);
      }}
      className={style.field!}
    >
      <Label>{label}</Label>
      <div className={style.checks}>
        {(Object.entries(options) as [Value, string][]).map(([each, text]) => (
          <Checkbox key={each} value={each} className={`${style.option} ${style.check}`}>
            {text}
          </Checkbox>
        ))}
      </div>
      <FieldError className={style.wrong!} />
    </CheckboxGroup>
  );
}

interface SelectProps<Value extends string> {
  readonly label: string;
  readonly options: Readonly<Record<Value, string>>;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  /** If true, only screen readers get the label, because the options explain themselves. */
  readonly hideLabel?: boolean;
}

/** Native `<select>` for one choice out of many. */
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
        {(Object.entries(options) as [Value, string][]).map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ListFieldProps<Value extends string> {
  readonly label: string;
  readonly options: Readonly<Record<Value, string>>;
  /** Null until the user has chosen: no option is preselected. */
  readonly value: Value | null;
  readonly onChange: (value: Value) => void;
}

/** Required field of a form for one choice out of many. */
export function SelectField<Value extends string>({
  label,
  options,
  value,
  onChange,
}: ListFieldProps<Value>) {
  const id = useId();
  return (
    <div className={style.field}>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        required
        value={value ?? ''}
        onChange={(event) => onChange(event.target.value as Value)}
      >
        <option value="" disabled hidden>
          {texts.acting.chooseOne}
        </option>
        {(Object.entries(options) as [Value, string][]).map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
