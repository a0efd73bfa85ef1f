const paths = {
  back: 'M15 5l-7 7 7 7',
  plus: 'M12 5v14M5 12h14',
  send: 'M4 12l16-8-6 16-3-7-7-1z',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.5-4 3-6 6.5-6s6 2 6.5 6M16 4.500a3.5 3.5 0 0 1 0 6.300M18 14.500c2 .8 3.2 2.6 3.5 5.5',
  person: 'M12 11.500a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.500c.6-4.3 3.4-6.5 7.5-6.500s6.9 2.2 7.5 6.5',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2',
  check: 'M5 12.500l4.5 4.500L19 7.5',
  alert: 'M12 8v5M12 16.500v.1M12 3.500l9.5 17h-19z',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M12 5v14M6 13l6 6 6-6',
  pencil: 'M4 20l1-4L16 5l3 3L8 19zM13.5 7.500l3 3',
  offline:
    'M3 3l18 18M5 12.500a10 10 0 0 1 4-2.300M19 12.500a10 10 0 0 0-5-2.700M8.5 16a5 5 0 0 1 7 0M12 19.500v.1',
} as const;

export type IconName = keyof typeof paths;

/** Says nothing to a screen reader: what it stands for is written beside it, or on its button. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

type IconButtonProps = {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly class?: string;
};

export function IconButton({ icon, label, onClick, class: look = 'icon-button' }: IconButtonProps) {
  return (
    <button type="button" class={look} aria-label={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
