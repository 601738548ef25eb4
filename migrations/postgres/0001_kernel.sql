-- The kernel: records, journals, jobs, counters and the ids of commits. What each table is for: migrations/README.md.
--
-- A record is a document (canonical JSON, as text: jsonb would put its keys in another order, and digests are made of these
-- bytes) under (team, id), with the version that the next writer has to name. Its fields stand beside it as generated columns,
-- stored: PostgreSQL has others only since version 18. Times are microseconds since 1970, UTC.

-- A text that compares as bytes, whatever the database's locale, so that keys have one order in every store.
CREATE DOMAIN key_text AS text COLLATE "C";

-- The field of a document at a path, or null. JSON may hold an escaped NUL (one that is not itself behind a backslash), which no
-- text of PostgreSQL's can: in these columns, and only in them, U+FFFD stands for it.
CREATE FUNCTION doc_field(doc text, path text[]) RETURNS json LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE position('\u0000' IN doc) WHEN 0 THEN doc
        ELSE regexp_replace(doc, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g') END::json #> path
$$;
CREATE FUNCTION doc_text(doc text, VARIADIC path text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT doc_field(doc, path) #>> '{}'
$$;
CREATE FUNCTION doc_integer(doc text, VARIADIC path text[]) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (doc_field(doc, path) #>> '{}')::bigint
$$;
CREATE FUNCTION doc_json(doc text, VARIADIC path text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT doc_field(doc, path)::text
$$;

-- Records: people and what they made -------------------------------------------------------------------------------------

CREATE TABLE agents (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    name key_text GENERATED ALWAYS AS (doc_text(doc, 'name')) STORED,
    status key_text GENERATED ALWAYS AS (doc_text(doc, 'status')) STORED,
    provider key_text GENERATED ALWAYS AS (doc_text(doc, 'provider')) STORED,
    model key_text GENERATED ALWAYS AS (doc_text(doc, 'model')) STORED,
    created_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'created_at')) STORED,
    updated_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'updated_at')) STORED,
    PRIMARY KEY (team, id)
);
CREATE INDEX agents_by_name ON agents (team, name, created_at, id);
CREATE INDEX agents_by_status ON agents (team, status, name, id);

CREATE TABLE members (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    name key_text GENERATED ALWAYS AS (doc_text(doc, 'name')) STORED,
    role key_text GENERATED ALWAYS AS (doc_text(doc, 'role')) STORED,
    zone key_text GENERATED ALWAYS AS (doc_text(doc, 'zone')) STORED,
    created_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'created_at')) STORED,
    PRIMARY KEY (team, id)
);
CREATE INDEX members_by_role ON members (team, role, created_at, id);

CREATE TABLE invites (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    role key_text GENERATED ALWAYS AS (doc_text(doc, 'role')) STORED,
    created_by key_text GENERATED ALWAYS AS (doc_text(doc, 'created_by')) STORED,
    used_by key_text GENERATED ALWAYS AS (doc_text(doc, 'used_by')) STORED,
    created_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'created_at')) STORED,
    expires_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'expires_at')) STORED,
    PRIMARY KEY (team, id)
);

CREATE TABLE permission_rules (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    effect key_text GENERATED ALWAYS AS (doc_text(doc, 'effect')) STORED,
    resource key_text GENERATED ALWAYS AS (doc_text(doc, 'resource')) STORED,
    created_by key_text GENERATED ALWAYS AS (doc_text(doc, 'created_by')) STORED,
    created_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'created_at')) STORED,
    PRIMARY KEY (team, id)
);

CREATE TABLE settings (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    value key_text GENERATED ALWAYS AS (doc_json(doc, 'value')) STORED,
    PRIMARY KEY (team, id)
);

-- Records: work ----------------------------------------------------------------------------------------------------------

CREATE TABLE sessions (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    agent key_text GENERATED ALWAYS AS (doc_text(doc, 'agent')) STORED,
    run key_text GENERATED ALWAYS AS (doc_text(doc, 'run')) STORED,
    created_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'created_at')) STORED,
    updated_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'updated_at')) STORED,
    PRIMARY KEY (team, id)
);
CREATE INDEX sessions_by_agent ON sessions (team, agent, updated_at, id);

CREATE TABLE runs (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    status key_text GENERATED ALWAYS AS (doc_text(doc, 'status')) STORED,
    session key_text GENERATED ALWAYS AS (doc_text(doc, 'session')) STORED,
    agent key_text GENERATED ALWAYS AS (doc_text(doc, 'agent')) STORED,
    agent_name key_text GENERATED ALWAYS AS (doc_text(doc, 'agent_name')) STORED,
    requester key_text GENERATED ALWAYS AS (doc_text(doc, 'requester')) STORED,
    title key_text GENERATED ALWAYS AS (doc_text(doc, 'title')) STORED,
    model key_text GENERATED ALWAYS AS (doc_text(doc, 'model')) STORED,
    steps bigint GENERATED ALWAYS AS (doc_integer(doc, 'steps')) STORED,
    cost bigint GENERATED ALWAYS AS (doc_integer(doc, 'cost')) STORED,  -- micro-dollars
    started_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'started_at')) STORED,
    ended_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'ended_at')) STORED,
    PRIMARY KEY (team, id)
);
CREATE INDEX runs_by_status ON runs (team, status, started_at, id);
CREATE INDEX runs_by_session ON runs (team, session, started_at, id);
CREATE INDEX runs_by_agent ON runs (team, agent, started_at, id);

CREATE TABLE approvals (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    status key_text GENERATED ALWAYS AS (doc_text(doc, 'status')) STORED,
    run key_text GENERATED ALWAYS AS (doc_text(doc, 'run')) STORED,
    session key_text GENERATED ALWAYS AS (doc_text(doc, 'session')) STORED,
    agent key_text GENERATED ALWAYS AS (doc_text(doc, 'agent')) STORED,
    tool key_text GENERATED ALWAYS AS (doc_text(doc, 'call', 'name')) STORED,
    digest key_text GENERATED ALWAYS AS (doc_text(doc, 'digest')) STORED,
    requester key_text GENERATED ALWAYS AS (doc_text(doc, 'requester')) STORED,
    decided_by key_text GENERATED ALWAYS AS (doc_text(doc, 'decided_by')) STORED,
    asked_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'asked_at')) STORED,
    expires_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'expires_at')) STORED,
    decided_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'decided_at')) STORED,
    PRIMARY KEY (team, id)
);
CREATE INDEX approvals_by_status ON approvals (team, status, expires_at, id);
CREATE INDEX approvals_by_run ON approvals (team, run, asked_at, id);

CREATE TABLE updates (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    surface key_text GENERATED ALWAYS AS (doc_text(doc, 'surface')) STORED,
    received_at bigint GENERATED ALWAYS AS (doc_integer(doc, 'received_at')) STORED,
    PRIMARY KEY (team, id)
);
CREATE INDEX updates_by_age ON updates (team, surface, received_at, id);

CREATE TABLE sent_messages (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    surface key_text GENERATED ALWAYS AS (doc_text(doc, 'surface')) STORED,
    message key_text GENERATED ALWAYS AS (doc_text(doc, 'message')) STORED,
    "at" bigint GENERATED ALWAYS AS (doc_integer(doc, 'at')) STORED,
    PRIMARY KEY (team, id)
);
CREATE INDEX sent_messages_by_age ON sent_messages (team, surface, "at", id);

CREATE TABLE audit_streams (
    team key_text NOT NULL, id key_text NOT NULL, version bigint NOT NULL, doc text NOT NULL,
    state key_text GENERATED ALWAYS AS (doc_text(doc, 'state')) STORED,
    since bigint GENERATED ALWAYS AS (doc_integer(doc, 'since')) STORED,
    PRIMARY KEY (team, id)
);
CREATE INDEX audit_streams_by_state ON audit_streams (team, state, since, id);

-- Journals: `id` is the run or the stream, `seq` counts from 0 without gaps ----------------------------------------------

CREATE TABLE run_events (
    team key_text NOT NULL, id key_text NOT NULL, seq bigint NOT NULL, entry text NOT NULL,
    type key_text GENERATED ALWAYS AS (doc_text(entry, 'type')) STORED,
    "at" bigint GENERATED ALWAYS AS (doc_integer(entry, 'at')) STORED,
    actor key_text GENERATED ALWAYS AS (doc_text(entry, 'actor')) STORED,
    PRIMARY KEY (team, id, seq)
);

CREATE TABLE audit_logs (
    team key_text NOT NULL, id key_text NOT NULL, seq bigint NOT NULL, entry text NOT NULL,
    "at" bigint GENERATED ALWAYS AS (doc_integer(entry, 'at')) STORED,
    -- Of the entry's first deed; json_array_elements(entry::json -> 'deeds') has the others.
    action key_text GENERATED ALWAYS AS (doc_text(entry, 'deeds', '0', 'action')) STORED,
    actor key_text GENERATED ALWAYS AS (doc_text(entry, 'deeds', '0', 'actor')) STORED,
    subject key_text GENERATED ALWAYS AS (doc_text(entry, 'deeds', '0', 'subject')) STORED,
    PRIMARY KEY (team, id, seq)
);

CREATE TABLE audit_seals (
    team key_text NOT NULL, id key_text NOT NULL, seq bigint NOT NULL, entry text NOT NULL,
    "at" bigint GENERATED ALWAYS AS (doc_integer(entry, 'at')) STORED,
    PRIMARY KEY (team, id, seq)
);

-- Jobs -------------------------------------------------------------------------------------------------------------------

CREATE TABLE task_queue (
    -- Grows with each job: the order within a serial key. (Jobs of one key are inserted one after the other, under a lock;
    -- numbers of different keys may become visible in another order.)
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id key_text NOT NULL UNIQUE,
    team key_text NOT NULL,
    name text NOT NULL,
    lane key_text NOT NULL,
    serial key_text,
    priority smallint NOT NULL,             -- 0 high, 1 normal, 2 low
    payload text NOT NULL,
    due bigint NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0,        -- the fence: grows with every claim
    worker text,                            -- who claimed it last
    lease_until bigint,                     -- null: not leased
    lost_before boolean NOT NULL DEFAULT false, -- the lease before the last one ran out
    signalled boolean NOT NULL DEFAULT false,   -- whoever has it leased is asked to stop
    last_error text,
    set_aside boolean NOT NULL DEFAULT false,
    blocked boolean NOT NULL DEFAULT false  -- an older job of its serial key is there
);
-- Who may be claimed, in the order of claiming. Blocked jobs are not in it, so a flood of one serial key is in nobody's way.
CREATE INDEX task_queue_ready ON task_queue (lane, priority, due, seq)
    WHERE lease_until IS NULL AND NOT blocked AND NOT set_aside;
CREATE INDEX task_queue_leased ON task_queue (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX task_queue_serial ON task_queue (serial, seq) WHERE serial IS NOT NULL AND NOT set_aside;
-- Every job is written several times and then goes: without this, what is left of them outnumbers the ones that are there.
ALTER TABLE task_queue SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Counters and commits ---------------------------------------------------------------------------------------------------

CREATE TABLE counters (
    team key_text NOT NULL, id key_text NOT NULL, value bigint NOT NULL,
    PRIMARY KEY (team, id)
);

-- The ids of what was committed, for a day: a commit whose answer was lost can be looked up, or repeated.
CREATE TABLE commits (
    id key_text PRIMARY KEY, "at" bigint NOT NULL
);
