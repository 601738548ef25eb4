-- Tool servers: how they are reached, and which of their tools somebody agreed to.

CREATE TABLE mcp_servers (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    name key_text GENERATED ALWAYS AS (doc_text(doc, 'name')) STORED,
    command text GENERATED ALWAYS AS (doc_text(doc, 'reach', 'stdio', 'command')) STORED,
    url text GENERATED ALWAYS AS (doc_text(doc, 'reach', 'http', 'url')) STORED,
    network boolean GENERATED ALWAYS AS (doc_json(doc, 'reach', 'stdio', 'network')::boolean) STORED,
    created_by key_text GENERATED ALWAYS AS (doc_text(doc, 'created_by')) STORED,
    created_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'created_at')) STORED,
    updated_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'updated_at')) STORED,
    PRIMARY KEY (team, id)
);
