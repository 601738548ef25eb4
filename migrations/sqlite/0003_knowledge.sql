-- Knowledge: collections of documents; the manifest says which segments of the search index count.

CREATE TABLE knowledge_collections (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    name TEXT AS (doc ->> '$.name'), owner TEXT AS (doc ->> '$.owner'),
    created_by TEXT AS (doc ->> '$.created_by'), created_at INTEGER AS (doc ->> '$.created_at'),
    PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE knowledge_documents (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    collection TEXT AS (doc ->> '$.collection'), name TEXT AS (doc ->> '$.name'),
    source TEXT AS (doc ->> '$.source'), status TEXT AS (doc ->> '$.status'), revision INTEGER AS (doc ->> '$.revision'),
    title TEXT AS (doc ->> '$.current.title'), language TEXT AS (doc ->> '$.current.language'),
    bytes INTEGER AS (doc ->> '$.current.bytes'), passages INTEGER AS (doc ->> '$.current.passages'),
    added_by TEXT AS (doc ->> '$.added_by'), updated_at INTEGER AS (doc ->> '$.updated_at'),
    PRIMARY KEY (team, id)
) STRICT;
CREATE INDEX knowledge_documents_by_name ON knowledge_documents (team, collection, name, id);
CREATE INDEX knowledge_documents_by_source ON knowledge_documents (team, source, collection, id);

CREATE TABLE knowledge_manifests (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    segments INTEGER AS (json_array_length(doc, '$.segments')),
    PRIMARY KEY (team, id)
) STRICT;
