-- Agents: the versions of what people change, what is remembered, and conversations that can be taken up again.

CREATE TABLE versions (
    team TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, entry TEXT NOT NULL,
    "at" INTEGER AS (entry ->> '$.at'), actor TEXT AS (entry ->> '$.actor'),
    deed TEXT AS (entry ->> '$.deed'), record TEXT AS (entry ->> '$.record'),
    PRIMARY KEY (team, id, seq)
) STRICT;

CREATE TABLE memories (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    updated_by TEXT AS (doc ->> '$.updated_by'), updated_at INTEGER AS (doc ->> '$.updated_at'),
    PRIMARY KEY (team, id)
) STRICT;

CREATE TABLE conversations (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    session TEXT AS (doc ->> '$.session'), agent TEXT AS (doc ->> '$.agent'),
    title TEXT AS (doc ->> '$.title'), updated_at INTEGER AS (doc ->> '$.updated_at'),
    PRIMARY KEY (team, id)
) STRICT;
CREATE INDEX conversations_by_session ON conversations (team, session, updated_at, id);
