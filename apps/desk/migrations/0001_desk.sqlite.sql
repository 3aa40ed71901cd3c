-- Times are milliseconds since 1970, UTC.
CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password TEXT NOT NULL,
    is_admin BOOLEAN NOT NULL,
    created_at bigint NOT NULL,
    -- Wrong passwords in a row, and when the last one was tried.
    wrong_passwords int NOT NULL DEFAULT 0,
    wrong_at bigint NOT NULL DEFAULT 0
);

CREATE TABLE tickets (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    state varchar(10) NOT NULL,
    author INTEGER NOT NULL REFERENCES people (id),
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL
);

CREATE INDEX tickets_by_change ON tickets (changed_at);

CREATE TABLE comments (
    id INTEGER PRIMARY KEY,
    ticket INTEGER NOT NULL REFERENCES tickets (id),
    author INTEGER NOT NULL REFERENCES people (id),
    body TEXT NOT NULL,
    created_at bigint NOT NULL
);

CREATE INDEX comments_by_ticket ON comments (ticket);
