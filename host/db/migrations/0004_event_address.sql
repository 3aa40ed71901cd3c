-- Where who did something asked from; null for what Lodge did by itself. The index keeps "what did
-- this one do" quick; what an app's index and the key itself serve needs none.

ALTER TABLE events ADD COLUMN address TEXT;
CREATE INDEX events_actor ON events (actor, id);
