export const socketioTables = `
CREATE TABLE chat_user (sid text PRIMARY KEY);
CREATE TABLE chat_group (id bigserial PRIMARY KEY, name text NOT NULL, last_seq bigint NOT NULL DEFAULT 0);
CREATE TABLE member (
  group_id bigint NOT NULL REFERENCES chat_group, sid text NOT NULL, PRIMARY KEY (group_id, sid)
);
CREATE INDEX ON member (sid);
CREATE TABLE message (
  id bigserial PRIMARY KEY, group_id bigint NOT NULL, seq bigint NOT NULL, sender_sid text NOT NULL,
  content text NOT NULL, date_created timestamptz NOT NULL DEFAULT now(), UNIQUE (group_id, seq)
);
CREATE TABLE receipt (
  message_id bigint NOT NULL, sid text NOT NULL, date_created timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (message_id, sid)
);
`;
