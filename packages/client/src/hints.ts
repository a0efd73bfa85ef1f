type Listen = (
  type: string,
  listener: () => void,
  options: { readonly signal: AbortSignal; readonly capture?: boolean },
) => void;

/** As much of a browser's page or worker as is used. Node has none of it. */
type Surroundings = {
  readonly addEventListener?: Listen;
  readonly document?: { readonly visibilityState: string; readonly addEventListener: Listen };
  readonly navigator?: {
    readonly onLine?: boolean;
    readonly connection?: { readonly addEventListener?: Listen };
  };
};

const surroundings = globalThis as Surroundings;

/**
 * Tells when a connection may have died without a word, because the browser's machine slept or changed its network:
 * the page is shown, focused, or taken from the back-forward cache; the network comes, goes or changes.
 * @param onHint `hasNetwork`: whether it is of use to connect now
 */
export function listenForHints(onHint: (hasNetwork: boolean) => void, signal: AbortSignal): void {
  const { addEventListener, document, navigator } = surroundings;
  const hint = () => onHint(navigator?.onLine !== false);
  for (const type of ['online', 'offline', 'focus', 'pageshow']) addEventListener?.(type, hint, { signal });
  document?.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && hint(), {
    signal,
  });
  // A page that the browser froze to save power (Page Lifecycle, WICG).
  document?.addEventListener('resume', hint, { signal });
  // From one network to another without being offline between (Network Information API); Chromium only.
  navigator?.connection?.addEventListener?.('change', hint, { signal });
}
