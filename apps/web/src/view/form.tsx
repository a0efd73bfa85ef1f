import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

type FormProps = {
  readonly onSubmit: (entries: FormData) => void;
  readonly children: ComponentChildren;
  readonly class?: string;
  /** Whether its first input has the focus at the beginning. */
  readonly isFocused?: boolean;
};

/** A form that sends nothing to a server by itself. Only `required` inputs are checked by the browser. */
export function Form({ onSubmit, children, class: look, isFocused = false }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    if (isFocused) form.current?.querySelector('input')?.focus();
  }, []);
  return (
    <form
      ref={form}
      class={look}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(new FormData(event.currentTarget));
      }}
    >
      {children}
    </form>
  );
}
