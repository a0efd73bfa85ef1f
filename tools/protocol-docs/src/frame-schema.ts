import {
  type FrameType,
  frameFailureType,
  frameTypes,
  idCharactersMax,
  isAcknowledgementType,
  payloadSchema,
} from '@hooligram/protocol';
import { z } from 'zod';
import { fieldTexts } from './field-texts.ts';

/** A JSON Schema of draft 7, which AsyncAPI's own dialect includes. */
export type JsonSchema = { readonly [keyword: string]: unknown };

function payloadJsonSchema(type: FrameType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(payloadSchema(type), {
    io: 'input',
    target: 'draft-7',
    override({ jsonSchema, path }) {
      const field = path.length === 2 && path[0] === 'properties' ? String(path[1]) : '';
      if (field in fieldTexts) jsonSchema.description = fieldTexts[field as keyof typeof fieldTexts];
    },
  });
  return schema;
}

/** A whole frame of one type, as it is on the wire. Unknown properties are ignored, so none is forbidden. */
function frameSchema(type: FrameType): JsonSchema {
  return {
    title: type,
    type: 'object',
    properties: {
      id: { type: 'string', ...idRule(type) },
      type: { type: 'string', const: type },
      payload: payloadJsonSchema(type),
    },
    required: ['id', 'type', 'payload'],
  };
}

/** Lengths are in code points, here as in JSON Schema. */
function idRule(type: FrameType): JsonSchema {
  const isUsable = /_(REQUEST|SUCCESS)$/.test(type) && !isAcknowledgementType(type);
  return { ...(isUsable ? { minLength: 1 } : {}), maxLength: idCharactersMax, description: idText(type) };
}

function idText(type: FrameType): string {
  if (isAcknowledgementType(type)) {
    return type.endsWith('_SUCCESS')
      ? 'Any: the payload names the delivery.'
      : 'The id of the delivery: nothing else tells which delivery failed.';
  }
  if (type === frameFailureType) return 'That of the frame if it was usable, else empty.';
  if (type.endsWith('_FAILURE')) return 'That of the request, which may have been empty.';
  if (type.endsWith('_SUCCESS')) return 'That of the request.';
  return 'Chosen by the sender; the answer carries it.';
}

export const frameSchemas: ReadonlyMap<FrameType, JsonSchema> = new Map(
  frameTypes.map((type) => [type, frameSchema(type)]),
);
