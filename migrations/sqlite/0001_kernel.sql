-- The kernel: records, journals, jobs, counters and the ids of commits. What each table is for: migrations/README.md.
--
-- A record is a document (canonical JSON) under (team, id), with the version that the next writer has to name. Its fields stand
-- beside it as generated columns: computed when they are read, kept nowhere but in the indexes that name them. Times are
-- microseconds since 1970, UTC.
--
-- Tables of small rows are WITHOUT ROWID: the key is kept once. Tables whose rows pass a quarter of a page are not: such a
-- row would leave most of itself on a page of its own.

-- Records: people and what they made -------------------------------------------------------------------------------------

CREATE TABLE agents (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    name TEXT AS (doc ->> '$.name'), status TEXT AS (doc ->> '$.status'),
    provider TEXT AS (doc ->> '$.provider'), model TEXT AS (doc ->> '$.model'),
    created_at INTEGER AS (doc ->> '$.created_at'), updated_at INTEGER AS (doc ->> '$.updated_at'),
    PRIMARY KEY (team, id)
) STRICT;
CREATE INDEX agents_by_name ON agents (team, name, created_at, id);
CREATE INDEX agents_by_status ON agents (team, status, name, id);

CREATE TABLE members (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    name TEXT AS (doc ->> '$.name'), role TEXT AS (doc ->> '$.role'), zone TEXT AS (doc ->> '$.zone'),
    created_at INTEGER AS (doc ->> '$.created_at'),
    PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_role ON members (team, role, created_at, id);

CREATE TABLE invites (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    role TEXT AS (doc ->> '$.role'), created_by TEXT AS (doc ->> '$.created_by'), used_by TEXT AS (doc ->> '$.used_by'),
    created_at INTEGER AS (doc ->> '$.created_at'), expires_at INTEGER AS (doc ->> '$.expires_at'),
    PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE permission_rules (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    effect TEXT AS (doc ->> '$.effect'), resource TEXT AS (doc ->> '$.resource'),
    created_by TEXT AS (doc ->> '$.created_by'), created_at INTEGER AS (doc ->> '$.created_at'),
    PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    value TEXT AS (doc -> '$.value'),
    PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;

-- Records: work ----------------------------------------------------------------------------------------------------------

CREATE TABLE sessions (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    agent TEXT AS (doc ->> '$.agent'), run TEXT AS (doc ->> '$.run'),
    created_at INTEGER AS (doc ->> '$.created_at'), updated_at INTEGER AS (doc ->> '$.updated_at'),
    PRIMARY KEY (team, id)
) STRICT;
CREATE INDEX sessions_by_agent ON sessions (team, agent, updated_at, id);

CREATE TABLE runs (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    status TEXT AS (doc ->> '$.status'), session TEXT AS (doc ->> '$.session'), agent TEXT AS (doc ->> '$.agent'),
    agent_name TEXT AS (doc ->> '$.agent_name'), requester TEXT AS (doc ->> '$.requester'),
    title TEXT AS (doc ->> '$.title'), model TEXT AS (doc ->> '$.model'),
    steps INTEGER AS (doc ->> '$.steps'), cost INTEGER AS (doc ->> '$.cost'),  -- micro-dollars
    started_at INTEGER AS (doc ->> '$.started_at'), ended_at INTEGER AS (doc ->> '$.ended_at'),
    PRIMARY KEY (team, id)
) STRICT;
CREATE INDEX runs_by_status ON runs (team, status, started_at, id);
CREATE INDEX runs_by_session ON runs (team, session, started_at, id);
CREATE INDEX runs_by_agent ON runs (team, agent, started_at, id);

CREATE TABLE approvals (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    status TEXT AS (doc ->> '$.status'), run TEXT AS (doc ->> '$.run'), session TEXT AS (doc ->> '$.session'),
    agent TEXT AS (doc ->> '$.agent'), tool TEXT AS (doc ->> '$.call.name'), digest TEXT AS (doc ->> '$.digest'),
    requester TEXT AS (doc ->> '$.requester'), decided_by TEXT AS (doc ->> '$.decided_by'),
    asked_at INTEGER AS (doc ->> '$.asked_at'), expires_at INTEGER AS (doc ->> '$.expires_at'),
    decided_at INTEGER AS (doc ->> '$.decided_at'),
    PRIMARY KEY (team, id)
) STRICT;
CREATE INDEX approvals_by_status ON approvals (team, status, expires_at, id);
CREATE INDEX approvals_by_run ON approvals (team, run, asked_at, id);

CREATE TABLE updates (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    surface TEXT AS (doc ->> '$.surface'), received_at INTEGER AS (doc ->> '$.received_at'),
    PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX updates_by_age ON updates (team, surface, received_at, id);

CREATE TABLE sent_messages (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    surface TEXT AS (doc ->> '$.surface'), message TEXT AS (doc ->> '$.message'), "at" INTEGER AS (doc ->> '$.at'),
    PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_messages_by_age ON sent_messages (team, surface, "at", id);

CREATE TABLE audit_streams (
    team TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL,
    state TEXT AS (doc ->> '$.state'), since INTEGER AS (doc ->> '$.since'),
    PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_streams_by_state ON audit_streams (team, state, since, id);

-- Journals: `id` is the run or the stream, `seq` counts from 0 without gaps ----------------------------------------------

CREATE TABLE run_events (
    team TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, entry TEXT NOT NULL,
    type TEXT AS (entry ->> '$.type'), "at" INTEGER AS (entry ->> '$.at'), actor TEXT AS (entry ->> '$.actor'),
    PRIMARY KEY (team, id, seq)
) STRICT;

CREATE TABLE audit_logs (
    team TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, entry TEXT NOT NULL,
    "at" INTEGER AS (entry ->> '$.at'),
    -- Of the entry's first deed; json_each(entry, '$.deeds') has the others.
    action TEXT AS (entry ->> '$.deeds[0].action'), actor TEXT AS (entry ->> '$.deeds[0].actor'),
    subject TEXT AS (entry ->> '$.deeds[0].subject'),
    PRIMARY KEY (team, id, seq)
) STRICT;

CREATE TABLE audit_seals (
    team TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, entry TEXT NOT NULL,
    "at" INTEGER AS (entry ->> '$.at'),
    PRIMARY KEY (team, id, seq)
) STRICT;

-- Jobs -------------------------------------------------------------------------------------------------------------------

CREATE TABLE task_queue (
    seq INTEGER PRIMARY KEY,                -- grows with each job: the order within a serial key
    id TEXT NOT NULL UNIQUE,
    team TEXT NOT NULL,
    name TEXT NOT NULL,
    lane TEXT NOT NULL,
    serial TEXT,
    priority INTEGER NOT NULL,              -- 0 high, 1 normal, 2 low
    payload TEXT NOT NULL,
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,       -- the fence: grows with every claim
    worker TEXT,                            -- who claimed it last
    lease_until INTEGER,                    -- null: not leased
    lost_before INTEGER NOT NULL DEFAULT 0, -- the lease before the last one ran out
    signalled INTEGER NOT NULL DEFAULT 0,   -- whoever has it leased is asked to stop
    last_error TEXT,
    set_aside INTEGER NOT NULL DEFAULT 0,
    blocked INTEGER NOT NULL DEFAULT 0      -- an older job of its serial key is there
) STRICT;
-- Who may be claimed, in the order of claiming. Blocked jobs are not in it, so a flood of one serial key is in nobody's way.
CREATE INDEX task_queue_ready ON task_queue (lane, priority, due, seq)
    WHERE lease_until IS NULL AND blocked = 0 AND set_aside = 0;
CREATE INDEX task_queue_leased ON task_queue (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX task_queue_serial ON task_queue (serial, seq) WHERE serial IS NOT NULL AND set_aside = 0;

-- The oldest job of a serial key that is not set aside is the one that isn't blocked. When it goes, the next one takes its place.
CREATE TRIGGER task_queue_finished AFTER DELETE ON task_queue
WHEN old.serial IS NOT NULL AND old.blocked = 0 AND old.set_aside = 0
BEGIN
    UPDATE task_queue SET blocked = 0
    WHERE seq = (SELECT min(seq) FROM task_queue WHERE serial = old.serial AND set_aside = 0);
END;
CREATE TRIGGER task_queue_set_aside AFTER UPDATE OF set_aside ON task_queue
WHEN new.set_aside = 1 AND old.set_aside = 0 AND old.serial IS NOT NULL AND old.blocked = 0
BEGIN
    UPDATE task_queue SET blocked = 0
    WHERE seq = (SELECT min(seq) FROM task_queue WHERE serial = old.serial AND set_aside = 0);
END;

-- Counters and commits ---------------------------------------------------------------------------------------------------

CREATE TABLE counters (
    team TEXT NOT NULL, id TEXT NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;

-- The ids of what was committed, for a day: a commit whose answer was lost can be looked up, or repeated.
CREATE TABLE commits (
    id TEXT PRIMARY KEY, "at" INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
