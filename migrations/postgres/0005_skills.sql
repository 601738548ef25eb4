-- Skills that a team has besides the built-in ones; their files are blobs.

CREATE TABLE skills (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    status key_text GENERATED ALWAYS AS (doc_text(doc, 'status')) STORED,
    kind key_text GENERATED ALWAYS AS (doc_text(doc, 'current', 'kind')) STORED,
    digest key_text GENERATED ALWAYS AS (doc_text(doc, 'current', 'digest')) STORED,
    source key_text GENERATED ALWAYS AS (doc_text(doc, 'current', 'source')) STORED,
    agreed_by key_text GENERATED ALWAYS AS (doc_text(doc, 'current', 'agreed_by')) STORED,
    updated_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'updated_at')) STORED,
    PRIMARY KEY (team, id)
);
