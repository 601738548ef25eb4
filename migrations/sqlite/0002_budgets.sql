-- Budgets: ceilings of what models may cost, by what they are for (team, day, agent:<id>, member:<id>, run). What was spent
-- stands in `counters`.

CREATE TABLE budgets (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    amount INTEGER AS (doc ->> '$.amount'),  -- micro-dollars
    set_by TEXT AS (doc ->> '$.set_by'), set_at INTEGER AS (doc ->> '$.set_at'), since INTEGER AS (doc ->> '$.since'),
    PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;
