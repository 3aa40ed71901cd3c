-- The keys of apps' tokens. `app` is NULL for the host-wide app key. The secret is sealed. A key
-- with `retired_at` signs no more and verifies until then.

CREATE TABLE app_keys (
    kid         TEXT PRIMARY KEY,
    app         TEXT REFERENCES apps (id) ON DELETE CASCADE,
    algorithm   TEXT NOT NULL,
    secret      TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    retired_at  BIGINT
);
CREATE INDEX app_keys_app ON app_keys (app);
CREATE INDEX app_keys_retired ON app_keys (retired_at);
