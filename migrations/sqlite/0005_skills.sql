-- Skills that a team has besides the built-in ones; their files are blobs.

CREATE TABLE skills (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    status TEXT AS (doc ->> '$.status'), kind TEXT AS (doc ->> '$.current.kind'),
    digest TEXT AS (doc ->> '$.current.digest'), source TEXT AS (doc ->> '$.current.source'),
    agreed_by TEXT AS (doc ->> '$.current.agreed_by'), updated_at INTEGER AS (doc ->> '$.updated_at'),
    PRIMARY KEY (team, id)
) STRICT;
