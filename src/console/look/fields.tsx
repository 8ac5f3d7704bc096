import type { ReactNode } from 'react';
import { FieldError } from 'react-aria-components/FieldError';
import { Form as AriaForm, type FormProps } from 'react-aria-components/Form';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { Radio, RadioGroup } from 'react-aria-components/RadioGroup';
import { Text } from 'react-aria-components/Text';
import { TextArea } from 'react-aria-components/TextArea';
import { TextField, type TextFieldProps } from 'react-aria-components/TextField';
import style from './fields.module.css';

/** A form whose fields show what the gateway found wrong with them: `validationErrors` by the name of the field. */
export function Form(props: FormProps) {
  return <AriaForm validationBehavior="aria" {...props} className={style.form!} />;
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
export function Field({ label, hint, placeholder, rows, inputType = 'text', ...props }: FieldProps) {
  const shown = placeholder === undefined ? {} : { placeholder };
  return (
    <TextField {...props} className={style.field!}>
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

/** One of many, in the browser's own list. */
export function Select<Value extends string>({ label, options, value, onChange }: ChoiceProps<Value>) {
  return (
    <label className={style.select}>
      <span>{label}</span>
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
