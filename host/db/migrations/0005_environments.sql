-- The workers that have ever introduced themselves: `about` is how, as JSON. A term is one reign of
-- one supervisor, written to the settings.

CREATE TABLE environments (
    name         TEXT PRIMARY KEY,
    about        TEXT NOT NULL,
    schedulable  BIGINT NOT NULL,
    draining     BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL
);
