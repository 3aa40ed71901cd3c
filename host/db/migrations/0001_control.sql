-- The control database, first version. One text for SQLite and PostgreSQL: times are BIGINT
-- milliseconds since 1970, booleans BIGINT 0 or 1, JSON is TEXT, `{identity}` is the dialect's
-- key that counts up by itself.

CREATE TABLE components (
    digest      TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    version     TEXT NOT NULL,
    size        BIGINT NOT NULL,
    world       TEXT NOT NULL,
    uses_async  BIGINT NOT NULL,
    imports     TEXT NOT NULL,
    exports     TEXT NOT NULL,
    metadata    TEXT NOT NULL,
    status      TEXT NOT NULL,
    error       TEXT,
    compile_ms  BIGINT,
    created_at  BIGINT NOT NULL,
    UNIQUE (name, version)
);

-- What should be. `generation` counts the changes of one app; `deleting` is how its data leaves.
CREATE TABLE apps (
    id            TEXT PRIMARY KEY,
    host_label    TEXT NOT NULL UNIQUE,
    display_name  TEXT NOT NULL,
    component     TEXT NOT NULL REFERENCES components (digest),
    start_mode    TEXT NOT NULL,
    spec          TEXT NOT NULL,
    desired       TEXT NOT NULL,
    generation    BIGINT NOT NULL,
    deleting      TEXT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX apps_component ON apps (component);

CREATE TABLE app_domains (
    domain  TEXT PRIMARY KEY,
    app     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE
);
CREATE INDEX app_domains_app ON app_domains (app);

-- What was last seen.
CREATE TABLE observed (
    app          TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    environment  TEXT NOT NULL,
    status       TEXT NOT NULL,
    since        BIGINT NOT NULL,
    version      TEXT,
    message      TEXT,
    PRIMARY KEY (app, environment)
);

-- No foreign key to apps: the record of a deletion outlives the app.
CREATE TABLE operations (
    id           TEXT PRIMARY KEY,
    app          TEXT NOT NULL,
    kind         TEXT NOT NULL,
    status       TEXT NOT NULL,
    progress     TEXT,
    error        TEXT,
    actor        TEXT NOT NULL,
    generation   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    finished_at  BIGINT
);
CREATE INDEX operations_app ON operations (app, status);
CREATE INDEX operations_unfinished ON operations (created_at) WHERE status = 'running';
CREATE INDEX operations_finished ON operations (finished_at);

-- The audit log: rows are added, never changed.
CREATE TABLE events (
    id         {identity},
    time       BIGINT NOT NULL,
    actor      TEXT NOT NULL,
    action     TEXT NOT NULL,
    app        TEXT,
    subject    TEXT,
    operation  TEXT,
    result     TEXT NOT NULL,
    message    TEXT
);
CREATE INDEX events_app ON events (app, id);
CREATE INDEX events_time ON events (time);

CREATE TABLE settings (
    key    TEXT PRIMARY KEY,
    value  TEXT NOT NULL
);

CREATE TABLE users (
    id                    TEXT PRIMARY KEY,
    email                 TEXT NOT NULL UNIQUE,
    password_hash         TEXT NOT NULL,
    created_at            BIGINT NOT NULL,
    must_change_password  BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash  TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE tokens (
    id          TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    token_hash  TEXT NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    last_used   BIGINT
);
CREATE INDEX tokens_user ON tokens (user_id);

CREATE TABLE idempotency (
    key           TEXT NOT NULL,
    actor         TEXT NOT NULL,
    method        TEXT NOT NULL,
    path          TEXT NOT NULL,
    request_hash  TEXT NOT NULL,
    status        BIGINT,
    body          TEXT,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);
