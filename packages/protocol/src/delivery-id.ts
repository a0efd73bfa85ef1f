/** What a `*_DELIVER_REQUEST` delivered, read from its `id`. */
export type Delivered =
  | { readonly kind: 'group'; readonly groupId: number; readonly version: number }
  | { readonly kind: 'message'; readonly groupId: number; readonly messageId: number };

const deliveryIdPattern = /^([gm])\.(0|[1-9][0-9]{0,15})\.(0|[1-9][0-9]{0,15})$/;

/**
 * The `id` of a `GROUP_DELIVER_REQUEST`. A `GROUP_DELIVER_FAILURE` carries nothing else that names the
 * delivery that it rejects.
 * @param version the version of the group's state
 */
export function groupDeliveryId(groupId: number, version: number): string {
  return `g.${groupId}.${version}`;
}

/** The `id` of a `MESSAGING_DELIVER_REQUEST`; the same for every repetition of the same message. */
export function messageDeliveryId(groupId: number, messageId: number): string {
  return `m.${groupId}.${messageId}`;
}

/** @returns what the `id` of a delivery says, or undefined for every other text */
export function parseDeliveryId(id: string): Delivered | undefined {
  const [, typeTag, first, second] = deliveryIdPattern.exec(id) ?? [];
  const groupId = Number(first);
  const number = Number(second);
  if (!Number.isSafeInteger(groupId) || !Number.isSafeInteger(number)) return undefined;
  return typeTag === 'g'
    ? { kind: 'group', groupId, version: number }
    : { kind: 'message', groupId, messageId: number };
}
