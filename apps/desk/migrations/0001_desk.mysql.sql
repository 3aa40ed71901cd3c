-- Times are milliseconds since 1970, UTC.
CREATE TABLE people (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    email varchar(200) NOT NULL UNIQUE,
    name varchar(200) NOT NULL,
    password varchar(200) NOT NULL,
    is_admin boolean NOT NULL,
    created_at bigint NOT NULL,
    -- Wrong passwords in a row, and when the last one was tried.
    wrong_passwords int NOT NULL DEFAULT 0,
    wrong_at bigint NOT NULL DEFAULT 0
);

CREATE TABLE tickets (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    title varchar(200) NOT NULL,
    body mediumtext NOT NULL,
    state varchar(10) NOT NULL,
    author bigint NOT NULL REFERENCES people (id),
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL
);

CREATE INDEX tickets_by_change ON tickets (changed_at);

CREATE TABLE comments (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    ticket bigint NOT NULL REFERENCES tickets (id),
    author bigint NOT NULL REFERENCES people (id),
    body mediumtext NOT NULL,
    created_at bigint NOT NULL
);

CREATE INDEX comments_by_ticket ON comments (ticket);
