import { useId } from 'preact/hooks';

type FieldProps = {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  /** What is wrong with it; '' when nothing is. */
  readonly error?: string;
  readonly hint?: string;
  readonly class?: string;
  readonly type?: 'text' | 'tel' | 'search';
  readonly inputMode?: 'numeric';
  readonly autocomplete?: 'tel' | 'one-time-code' | 'off';
  readonly placeholder?: string;
  /** The id of a list of suggestions. */
  readonly list?: string;
};

/** An input with its label, its hint and its error, tied together for a screen reader. */
export function Field({
  label,
  value,
  onInput,
  error = '',
  hint = '',
  autocomplete = 'off',
  ...input
}: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...input}
        id={id}
        autocomplete={autocomplete}
        value={value}
        aria-invalid={error !== ''}
        aria-describedby={`${id}-hint ${id}-error`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <p class="error" id={`${id}-error`} role="alert">
        {error}
      </p>
    </div>
  );
}
