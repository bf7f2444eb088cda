-- Lists of addresses that are worked on, and what came of each address: whoever is killed goes on where he was.

CREATE TABLE list (
  number     INTEGER NOT NULL PRIMARY KEY,
  digest     TEXT UNIQUE,                  -- of its addresses; NULL: forgotten, its jobs go bit by bit
  made_at    REAL NOT NULL,
  keep_until REAL NOT NULL,
  is_whole   INTEGER NOT NULL,             -- 1: all its jobs are here
  holder     INTEGER                       -- the session that works on it; NULL: none
);

CREATE TRIGGER session_goes AFTER DELETE ON session BEGIN
  UPDATE list SET holder = NULL WHERE holder = old.id;
END;

-- Whom a list has questions for, those that are due the longest first.
CREATE TABLE list_domain (
  list   INTEGER NOT NULL,
  domain TEXT NOT NULL,    -- '' for what is no address
  due_at REAL,             -- NULL: it is being asked
  PRIMARY KEY (list, domain)
) WITHOUT ROWID;
CREATE INDEX list_domain_by_turn ON list_domain (list, due_at);

CREATE TABLE job (
  list     INTEGER NOT NULL,
  domain   TEXT NOT NULL,
  key      TEXT NOT NULL,    -- the exact address, or what is none
  due_at   REAL,             -- 0: at once; NULL: done
  tries    INTEGER NOT NULL,
  reason   TEXT NOT NULL,    -- of its last report; '': none yet
  callouts INTEGER NOT NULL,
  body     TEXT NOT NULL,    -- the rest of that report
  PRIMARY KEY (list, domain, key)
);
CREATE INDEX job_by_turn ON job (list, domain, due_at) WHERE due_at IS NOT NULL;
-- With all that is counted, so that counting reads this index and not the evidence.
CREATE INDEX job_by_reason ON job (list, domain, reason, callouts, due_at) WHERE due_at IS NULL;

PRAGMA user_version = 6;
