import { readFileSync } from 'node:fs';
import { clientRequestTypes } from '@hooligram/protocol';

/** What the generated schemas in docs/protocol say of a value, as far as it is used here. */
type Schema = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maximum?: number;
};

export type FuzzFrame = { readonly type: string; readonly payload: unknown };

/** Values by the names of properties: so that a frame that nothing broke reaches what it is about. */
export type Known = Readonly<Record<string, unknown>>;

const acknowledgementTypes = [
  'GROUP_DELIVER_SUCCESS',
  'GROUP_DELIVER_FAILURE',
  'MESSAGING_DELIVER_SUCCESS',
  'MESSAGING_DELIVER_FAILURE',
];
/** What clients send back or make up. */
const otherTypes = ['GROUP_DELIVER_REQUEST', 'MESSAGING_SEND_FAILURE', 'CONN_FRAME_FAILURE'];

const schemasFolder = new URL('../../../../docs/protocol/schemas/', import.meta.url);
const payloadSchemas = new Map(
  [...clientRequestTypes, ...acknowledgementTypes, ...otherTypes].map((type) => {
    const schema = JSON.parse(readFileSync(new URL(`${type}.json`, schemasFolder), 'utf8')) as Schema;
    return [type, schema.properties?.payload ?? {}] as const;
  }),
);

/** A frame of every type that a client may send, and of some that it should not. */
export function soundFrames(known: Known): FuzzFrame[] {
  const frames = [...payloadSchemas].map(([type, schema]) => ({
    type,
    payload: sampleOf('', schema, known),
  }));
  return [...frames, { type: 'GO_TO_HOME', payload: {} }, { type: 'EXPLODE_REQUEST', payload: {} }];
}

/** Values just beyond what the schema of a frame's property allows. */
export function beyond(type: string, name: string): unknown[] {
  const { maxLength, minLength, maximum } = payloadSchemas.get(type)?.properties?.[name] ?? {};
  return [
    ...(maxLength === undefined ? [] : ['x'.repeat(maxLength + 1), '😀'.repeat(maxLength)]),
    ...(minLength ? ['x'.repeat(minLength - 1)] : []),
    ...(maximum === undefined ? [] : [maximum + 1, maximum, 0, -1, 0.5]),
  ];
}

function sampleOf(name: string, { type, properties }: Schema, known: Known): unknown {
  if (name in known) return known[name];
  if (properties || type === 'object') {
    const entries = Object.entries(properties ?? {});
    return Object.fromEntries(entries.map(([key, schema]) => [key, sampleOf(key, schema, known)]));
  }
  if (type === 'integer') return 1;
  if (type === 'boolean') return true;
  return type === 'array' ? ['text'] : 'text 😀';
}
