import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import type pg from 'pg';
import { freshDatabase, inSession } from '../../test/test-db.ts';

/** What the migrations say and the schema file cannot. */
const beyondPrisma = [
  'group unique (direct_key) where ((NOT closed) AND (direct_key IS NOT NULL))',
  'request index (date_created) where (user_id = 0)',
  'user.sid collate C',
  'group with fillfactor=80',
  'group_member with fillfactor=70',
  'credential with fillfactor=80',
  'verification_challenge with fillfactor=80',
];

type Field = {
  name: string;
  dbName?: string;
  kind: 'scalar' | 'object';
  type: string;
  isList: boolean;
  isRequired: boolean;
  nativeType: [name: string, args: string[]] | null;
  hasDefaultValue: boolean;
  default?: { name: string } | never[] | string | number | boolean;
  relationFromFields?: string[];
  relationToFields?: string[];
  relationOnDelete?: string;
  relationOnUpdate?: string;
};
type Model = { name: string; dbName: string; fields: Field[] };
type Index = { model: string; type: 'id' | 'unique' | 'normal'; fields: { name: string }[] };
type Datamodel = { models: Model[]; indexes: Index[]; enums: unknown[]; types: unknown[] };

/** Read by Prisma's own parser. */
function readSchema(): Datamodel {
  const file = new URL('../../../../prisma/schema.prisma', import.meta.url);
  const { get_dmmf: getDmmf } = createRequire(import.meta.url)('@prisma/prisma-schema-wasm');
  const prismaSchema = [['schema.prisma', readFileSync(file, 'utf8')]];
  return JSON.parse(getDmmf(JSON.stringify({ prismaSchema, noColor: true }))).datamodel;
}

const columnTypes: Record<string, string> = {
  BigInt: 'bigint',
  Boolean: 'boolean',
  Bytes: 'bytea',
  Int: 'integer',
  Json: 'jsonb',
  String: 'text',
  'Timestamptz(3)': 'timestamp(3) with time zone',
  Uuid: 'uuid',
};

/** A line for each table, column, key and index of the schema file. */
function describeSchema({ models, indexes, enums, types }: Datamodel): string[] {
  expect([enums, types]).toEqual([[], []]);
  const modelOf = (name: string) => models.find((model) => model.name === name) as Model;
  const columns = (model: Model, names: readonly string[]) =>
    names
      .map((name) => model.fields.find((field) => field.name === name))
      .map((field) => field?.dbName ?? field?.name)
      .join(', ');

  return [
    ...models.map((model) => `${model.dbName} is a table`),
    ...models.flatMap((model) =>
      model.fields
        .filter((field) => field.kind === 'scalar')
        .map((field) => `${model.dbName}.${field.dbName ?? field.name} ${describeField(field)}`),
    ),
    ...models.flatMap((model) =>
      model.fields
        .filter((field) => field.kind === 'object' && field.relationFromFields?.length)
        .map((field) => {
          const other = modelOf(field.type);
          return (
            `${model.dbName} foreign key (${columns(model, field.relationFromFields ?? [])}) to ` +
            `${other.dbName} (${columns(other, field.relationToFields ?? [])}) ` +
            `on delete ${field.relationOnDelete} on update ${field.relationOnUpdate}`.toLowerCase()
          );
        }),
    ),
    ...indexes.map(({ model: name, type, fields }) => {
      const kind = { id: 'primary key', unique: 'unique', normal: 'index' }[type];
      const model = modelOf(name);
      return `${model.dbName} ${kind} (${columns(
        model,
        fields.map((field) => field.name),
      )})`;
    }),
  ];
}

function describeField(field: Field): string {
  const [native, args] = field.nativeType ?? [field.type, []];
  const type = columnTypes[args.length > 0 ? `${native}(${args})` : native];
  if (!type) throw new Error(`this test does not know the type of ${field.name}`);
  return `${type}${field.isList ? '[]' : ''}${field.isRequired ? ' not null' : ''}${describeDefault(field, type)}`;
}

function describeDefault(field: Field, type: string): string {
  if (!field.hasDefaultValue) return '';
  const value = field.default;
  if (Array.isArray(value)) return ` default '{}'::${type}[]`;
  if (typeof value !== 'object') return ` default ${value}`;
  return { autoincrement: ' identity', now: ' default CURRENT_TIMESTAMP' }[value.name] ?? ` ${value.name}()`;
}

/** The same lines of what is in the database. */
async function describeDatabase(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    WITH tables AS (
      SELECT oid, relname AS name, reloptions FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
        AND relname <> '_prisma_migrations'
    ),
    named_columns AS (
      SELECT attrelid, attnum, attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
    )
    SELECT name || ' is a table' AS line FROM tables
    UNION ALL
    SELECT name || ' with ' || option FROM tables, unnest(reloptions) AS option
    UNION ALL
    SELECT t.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
      || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
      || CASE WHEN a.attidentity <> '' THEN ' identity'
           ELSE coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') END
    FROM tables t
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
    UNION ALL
    SELECT t.name || '.' || a.attname || ' collate ' || c.collname
    FROM tables t
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_collation c ON c.oid = a.attcollation AND c.collname <> 'default'
    UNION ALL
    SELECT t.name || ' '
      || CASE WHEN i.indisprimary THEN 'primary key' WHEN i.indisunique THEN 'unique' ELSE 'index' END
      || ' (' || (
        SELECT string_agg(coalesce(c.attname, 'an expression'), ', ' ORDER BY k.place)
        FROM unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
        LEFT JOIN named_columns c ON c.attrelid = t.oid AND c.attnum = k.attnum
      ) || ')' || coalesce(' where ' || pg_get_expr(i.indpred, i.indrelid), '')
    FROM tables t JOIN pg_index i ON i.indrelid = t.oid
    UNION ALL
    SELECT t.name || ' foreign key (' || (
        SELECT string_agg(c.attname, ', ' ORDER BY k.place)
        FROM unnest(f.conkey) WITH ORDINALITY AS k (attnum, place)
        JOIN named_columns c ON c.attrelid = f.conrelid AND c.attnum = k.attnum
      ) || ') to ' || o.relname || ' (' || (
        SELECT string_agg(c.attname, ', ' ORDER BY k.place)
        FROM unnest(f.confkey) WITH ORDINALITY AS k (attnum, place)
        JOIN named_columns c ON c.attrelid = f.confrelid AND c.attnum = k.attnum
      ) || ') on delete ' || actions.name[strpos('arcnd', f.confdeltype::text)]
        || ' on update ' || actions.name[strpos('arcnd', f.confupdtype::text)]
    FROM tables t
    JOIN pg_constraint f ON f.conrelid = t.oid AND f.contype = 'f'
    JOIN pg_class o ON o.oid = f.confrelid
    CROSS JOIN (
      SELECT ARRAY['noaction', 'restrict', 'cascade', 'setnull', 'setdefault'] AS name
    ) actions
    UNION ALL
    SELECT t.name || ' ' || f.conname || ' ' || pg_get_constraintdef(f.oid)
    FROM tables t JOIN pg_constraint f ON f.conrelid = t.oid AND f.contype IN ('c', 'x', 't')`);
  return rows.map((row) => row.line);
}

const expected = () => [...describeSchema(readSchema()), ...beyondPrisma].sort();

test('schema.prisma and the migrated database describe the same tables', async () => {
  const found = await inSession(await freshDatabase(), describeDatabase);
  expect(found.sort()).toEqual(expected());
});

test('a difference in either direction is found', async () => {
  const changes = [
    'CREATE TABLE added ()',
    'DROP TABLE verification_challenge',
    'ALTER TABLE message ADD COLUMN added int',
    'ALTER TABLE message DROP COLUMN content',
    'ALTER TABLE message ALTER COLUMN content TYPE varchar(9)',
    'ALTER TABLE message ALTER COLUMN seq TYPE integer',
    'ALTER TABLE message ALTER COLUMN date_created TYPE timestamptz',
    'ALTER TABLE message ALTER COLUMN content DROP NOT NULL',
    'ALTER TABLE "user" ALTER COLUMN credential_hash SET NOT NULL',
    'ALTER TABLE "user" ALTER COLUMN id DROP IDENTITY',
    'DROP FUNCTION group_state CASCADE; ALTER TABLE "user" ALTER COLUMN sid TYPE text COLLATE "default"',
    'ALTER TABLE "group" ALTER COLUMN version DROP DEFAULT',
    'ALTER TABLE "group" ALTER COLUMN version SET DEFAULT 2',
    'ALTER TABLE "group" RESET (fillfactor)',
    'ALTER TABLE message DROP CONSTRAINT message_pkey',
    'ALTER TABLE message DROP CONSTRAINT message_sender_id_request_id_key',
    'CREATE UNIQUE INDEX ON message (sender_id)',
    'DROP INDEX group_member_user_id_group_id_idx',
    'CREATE INDEX ON message (sender_id)',
    'ALTER TABLE group_member DROP CONSTRAINT group_member_user_id_fkey',
    'DROP INDEX group_direct_key_open_key',
    'ALTER TABLE message ADD CHECK (seq > 0)',
  ];
  const missed = await inSession(await freshDatabase(), async (client) => {
    const unseen: string[] = [];
    for (const change of changes) {
      await client.query('BEGIN');
      await client.query(change);
      const found = await describeDatabase(client);
      if (found.sort().join() === expected().join()) unseen.push(change);
      await client.query('ROLLBACK');
    }
    return unseen;
  });
  expect(missed).toEqual([]);
});
