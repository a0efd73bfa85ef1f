import { signal } from '@preact/signals';

/** Whether the browser has a network. */
export const hasNetwork = signal(navigator.onLine);
/** Whether the user can see the page. */
export const isVisible = signal(!document.hidden);

for (const event of ['online', 'offline']) {
  addEventListener(event, () => {
    hasNetwork.value = event === 'online';
  });
}
document.addEventListener('visibilitychange', () => {
  isVisible.value = !document.hidden;
});
