-- Knowledge: collections of documents; the manifest says which segments of the search index count.

CREATE TABLE knowledge_collections (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    name key_text GENERATED ALWAYS AS (doc_text(doc, 'name')) STORED,
    owner key_text GENERATED ALWAYS AS (doc_text(doc, 'owner')) STORED,
    created_by key_text GENERATED ALWAYS AS (doc_text(doc, 'created_by')) STORED,
    created_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'created_at')) STORED,
    PRIMARY KEY (team, id)
);

CREATE TABLE knowledge_documents (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    collection key_text GENERATED ALWAYS AS (doc_text(doc, 'collection')) STORED,
    name key_text GENERATED ALWAYS AS (doc_text(doc, 'name')) STORED,
    source key_text GENERATED ALWAYS AS (doc_text(doc, 'source')) STORED,
    status key_text GENERATED ALWAYS AS (doc_text(doc, 'status')) STORED,
    revision bigint GENERATED ALWAYS AS (doc_integer(doc, 'revision')) STORED,
    title key_text GENERATED ALWAYS AS (doc_text(doc, 'current', 'title')) STORED,
    language key_text GENERATED ALWAYS AS (doc_text(doc, 'current', 'language')) STORED,
    bytes bigint GENERATED ALWAYS AS (doc_integer(doc, 'current', 'bytes')) STORED,
    passages bigint GENERATED ALWAYS AS (doc_integer(doc, 'current', 'passages')) STORED,
    added_by key_text GENERATED ALWAYS AS (doc_text(doc, 'added_by')) STORED,
    updated_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'updated_at')) STORED,
    PRIMARY KEY (team, id)
);
CREATE INDEX knowledge_documents_by_name ON knowledge_documents (team, collection, name, id);
CREATE INDEX knowledge_documents_by_source ON knowledge_documents (team, source, collection, id);

CREATE TABLE knowledge_manifests (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    segments bigint GENERATED ALWAYS AS (json_array_length(doc_json(doc, 'segments')::json)) STORED,
    PRIMARY KEY (team, id)
);
