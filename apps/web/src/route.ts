import { signal } from '@preact/signals';

/** Which conversation is open, by the page's address, so that the browser's way back is the way to the list. */
export const openGroup = signal(groupOf(location.hash));

addEventListener('hashchange', () => {
  openGroup.value = groupOf(location.hash);
});

export function pathOf(groupId: number | undefined): string {
  return groupId === undefined ? '#/' : `#/${groupId}`;
}

export function goTo(groupId: number | undefined): void {
  location.hash = pathOf(groupId);
}

function groupOf(hash: string): number | undefined {
  const id = /^#\/(\d+)$/.exec(hash)?.[1];
  return id === undefined ? undefined : Number(id);
}
