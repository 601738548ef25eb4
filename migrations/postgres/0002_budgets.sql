-- Budgets: ceilings of what models may cost, by what they are for (team, day, agent:<id>, member:<id>, run). What was spent
-- stands in `counters`.

CREATE TABLE budgets (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    amount bigint GENERATED ALWAYS AS (doc_integer(doc, 'amount')) STORED,  -- micro-dollars
    set_by key_text GENERATED ALWAYS AS (doc_text(doc, 'set_by')) STORED,
    set_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'set_at')) STORED,
    since bigint GENERATED ALWAYS AS (doc_integer(doc, 'since')) STORED,
    PRIMARY KEY (team, id)
);
