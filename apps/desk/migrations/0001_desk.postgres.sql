-- Times are milliseconds since 1970, UTC.
CREATE TABLE people (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    password text NOT NULL,
    is_admin boolean NOT NULL,
    created_at bigint NOT NULL,
    -- Wrong passwords in a row, and when the last one was tried.
    wrong_passwords int NOT NULL DEFAULT 0,
    wrong_at bigint NOT NULL DEFAULT 0
);

CREATE TABLE tickets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    body text NOT NULL,
    state varchar(10) NOT NULL,
    author bigint NOT NULL REFERENCES people (id),
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL
);

CREATE INDEX tickets_by_change ON tickets (changed_at);

CREATE TABLE comments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket bigint NOT NULL REFERENCES tickets (id),
    author bigint NOT NULL REFERENCES people (id),
    body text NOT NULL,
    created_at bigint NOT NULL
);

CREATE INDEX comments_by_ticket ON comments (ticket);
