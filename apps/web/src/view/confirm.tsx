import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

type ConfirmProps = {
  readonly label: string;
  /** What is lost by it. */
  readonly children: ComponentChildren;
  readonly answer: string;
  readonly onConfirm: () => void;
};

/** A button that asks once more. */
export function Confirm({ label, children, answer, onConfirm }: ConfirmProps) {
  const [isAsking, setIsAsking] = useState(false);
  const button = (text: string, onClick: () => void) => (
    <button type="button" class="button danger" onClick={onClick}>
      {text}
    </button>
  );
  if (!isAsking) return button(label, () => setIsAsking(true));
  return (
    <div role="alert">
      <p>{children}</p>
      {button(answer, onConfirm)}
    </div>
  );
}
