-- The schema of a history, version 1. docs/history.md describes it.
CREATE TABLE instances (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  facts TEXT NOT NULL
) STRICT;
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY,
  instance INTEGER NOT NULL REFERENCES instances (id),
  from_ms INTEGER NOT NULL,
  to_ms INTEGER,
  seen_ms INTEGER NOT NULL,
  connected INTEGER NOT NULL,
  why TEXT,
  UNIQUE (instance, from_ms)
) STRICT;
CREATE INDEX sessions_by_start ON sessions (from_ms, id);
CREATE INDEX sessions_by_end ON sessions (to_ms);
CREATE TABLE silences (
  session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  from_ms INTEGER NOT NULL,
  to_ms INTEGER NOT NULL,
  PRIMARY KEY (session, from_ms)
) STRICT, WITHOUT ROWID;
CREATE VIEW history AS
  SELECT
    instances.key AS key,
    json_extract(instances.facts, '$.host') AS host,
    datetime(sessions.from_ms / 1000, 'unixepoch') AS "from",
    datetime(sessions.to_ms / 1000, 'unixepoch') AS "to",
    datetime(sessions.seen_ms / 1000, 'unixepoch') AS seen,
    sessions.connected AS connected,
    sessions.why AS why
  FROM sessions JOIN instances ON instances.id = sessions.instance
  ORDER BY sessions.from_ms DESC;
