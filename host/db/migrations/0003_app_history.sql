-- What happened to each app, in steps of a minute, ten minutes and an hour. `step` is a step's length
-- and `time` its start, both in milliseconds. Steps in which nothing happened have no row.

CREATE TABLE app_history (
    app   TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    step  BIGINT NOT NULL,
    time  BIGINT NOT NULL,
    data  TEXT NOT NULL,
    PRIMARY KEY (app, step, time)
);
CREATE INDEX app_history_time ON app_history (step, time);
