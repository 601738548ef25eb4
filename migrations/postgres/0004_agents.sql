-- Agents: the versions of what people change, what is remembered, and conversations that can be taken up again.

CREATE TABLE versions (
    team key_text NOT NULL, id key_text NOT NULL, seq bigint NOT NULL, entry text NOT NULL,
    "at" bigint GENERATED ALWAYS AS (doc_integer(entry, 'at')) STORED,
    actor key_text GENERATED ALWAYS AS (doc_text(entry, 'actor')) STORED,
    deed key_text GENERATED ALWAYS AS (doc_text(entry, 'deed')) STORED,
    record key_text GENERATED ALWAYS AS (doc_text(entry, 'record')) STORED,
    PRIMARY KEY (team, id, seq)
);

CREATE TABLE memories (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    updated_by key_text GENERATED ALWAYS AS (doc_text(doc, 'updated_by')) STORED,
    updated_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'updated_at')) STORED,
    PRIMARY KEY (team, id)
);

CREATE TABLE conversations (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    session key_text GENERATED ALWAYS AS (doc_text(doc, 'session')) STORED,
    agent key_text GENERATED ALWAYS AS (doc_text(doc, 'agent')) STORED,
    title key_text GENERATED ALWAYS AS (doc_text(doc, 'title')) STORED,
    updated_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'updated_at')) STORED,
    PRIMARY KEY (team, id)
);
CREATE INDEX conversations_by_session ON conversations (team, session, updated_at, id);
