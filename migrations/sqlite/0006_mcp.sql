-- Tool servers: how they are reached, and which of their tools somebody agreed to.

CREATE TABLE mcp_servers (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    name TEXT AS (doc ->> '$.name'), command TEXT AS (doc ->> '$.reach.stdio.command'), url TEXT AS (doc ->> '$.reach.http.url'),
    network INTEGER AS (doc ->> '$.reach.stdio.network'),
    created_by TEXT AS (doc ->> '$.created_by'),
    created_at INTEGER AS (doc ->> '$.created_at'), updated_at INTEGER AS (doc ->> '$.updated_at'),
    PRIMARY KEY (team, id)
) STRICT;
