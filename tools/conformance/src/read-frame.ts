import { checkPayload, isAcknowledgementType, isClientRequestType, isFrameType } from '@hooligram/protocol';
import type { ReceivedFrame } from '@hooligram/protocol-client';

/**
 * Reads what a server sent. A frame of a type that the protocol does not know may have any payload.
 * @returns the frame, or what is wrong with it, whatever was sent before
 */
export function readFrame(text: string): ReceivedFrame | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'the server sent what is no JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'the server sent JSON that is no object';
  }
  const { id, type, payload } = value as Record<string, unknown>;
  if (typeof id !== 'string') return 'the server sent a frame whose id is no string';
  if (typeof type !== 'string') return 'the server sent a frame whose type is no string';
  if (typeof payload !== 'object' || payload === null) return `the server sent a ${type} without a payload`;
  if (isClientRequestType(type) || isAcknowledgementType(type)) {
    return `the server sent a ${type}, which only clients send`;
  }
  const faults = isFrameType(type) ? checkPayload(type, payload).faults : [];
  if (faults.length > 0) return `the server sent a faulty ${type}: ${faults.join('; ')}`;
  if (/_(REQUEST|SUCCESS)$/.test(type) && id === '') return `the server sent a ${type} with an empty id`;
  return { id, type, payload };
}
