-- The tables as they are now: what the migrations come to. Nothing runs this file.
-- What is `elapsed` is in seconds since the machine started (Clock.elapsed), all else in Unix seconds.
-- `body` is JSON, see store/codec.py.

-- "RgBk": how file(1) and we tell this database from anybody else's.
PRAGMA application_id = 1382498923;

CREATE TABLE entry (
  key        TEXT NOT NULL PRIMARY KEY, -- the exact address: local part as received
  domain     TEXT NOT NULL,             -- what follows the key's last "@"
  reason     TEXT NOT NULL,
  checked_at REAL NOT NULL,
  expires_at REAL NOT NULL,
  body       TEXT NOT NULL              -- all the rest
);
CREATE INDEX entry_by_domain ON entry (domain, checked_at);
-- With the reason, so that counting by reason reads this index and not the evidence.
CREATE INDEX entry_by_expiry ON entry (expires_at, reason);

CREATE TABLE fact (
  subject    TEXT NOT NULL, -- a domain, or the IP address of a host
  kind       TEXT NOT NULL,
  noted_at   REAL NOT NULL,
  expires_at REAL NOT NULL,
  body       TEXT NOT NULL,
  PRIMARY KEY (subject, kind)
);
CREATE INDEX fact_by_expiry ON fact (expires_at, kind);
CREATE INDEX fact_by_kind ON fact (kind, noted_at, subject);

CREATE TABLE wait (
  key          TEXT NOT NULL PRIMARY KEY,
  network      TEXT NOT NULL,             -- of the client
  wide_network TEXT NOT NULL,             -- what holds it and its neighbours; '' from version 1
  first_at     REAL NOT NULL,
  count        INTEGER NOT NULL,
  returned     INTEGER NOT NULL,          -- 1: has come back after the wait
  expires_at   REAL NOT NULL
);
CREATE INDEX wait_by_expiry ON wait (expires_at);

-- How many rows of `wait` there are, kept by the triggers: a flood must not make counting slow.
CREATE TABLE crowd (
  scope   TEXT NOT NULL,    -- network, wide_network or all
  network TEXT NOT NULL,    -- '' of all
  number  INTEGER NOT NULL,
  PRIMARY KEY (scope, network)
) WITHOUT ROWID;

CREATE TRIGGER wait_comes AFTER INSERT ON wait BEGIN
  INSERT INTO crowd (scope, network, number)
  VALUES ('network', new.network, 1), ('wide_network', new.wide_network, 1), ('all', '', 1)
  ON CONFLICT (scope, network) DO UPDATE SET number = number + 1;
END;

CREATE TRIGGER wait_goes AFTER DELETE ON wait BEGIN
  UPDATE crowd SET number = number - 1 WHERE scope = 'network' AND network = old.network;
  UPDATE crowd SET number = number - 1 WHERE scope = 'wide_network' AND network = old.wide_network;
  UPDATE crowd SET number = number - 1 WHERE scope = 'all' AND network = '';
  DELETE FROM crowd WHERE scope = 'network' AND network = old.network AND number <= 0;
  DELETE FROM crowd WHERE scope = 'wide_network' AND network = old.wide_network AND number <= 0;
END;

CREATE TABLE acquaintance (
  network       TEXT NOT NULL PRIMARY KEY,
  contacts      INTEGER NOT NULL,
  returned      INTEGER NOT NULL,
  expires_at    REAL NOT NULL,
  waiting       INTEGER NOT NULL,
  waiting_since REAL NOT NULL
);
CREATE INDEX acquaintance_by_expiry ON acquaintance (expires_at);
-- Whoever has come back is worth more than who has not, then the one seen last.
CREATE INDEX acquaintance_by_worth ON acquaintance (returned > 0, expires_at);

-- By the words of their keys backwards ("192.0.2.1 host"): see store/budgets.py.
CREATE TABLE budget (
  key        TEXT NOT NULL PRIMARY KEY,
  full_at    REAL NOT NULL,             -- elapsed: when the whole burst is there again
  interval_s REAL NOT NULL              -- of the rate that it was charged by last
) WITHOUT ROWID;

-- One row: what `elapsed` counts from.
CREATE TABLE epoch (
  boot        TEXT NOT NULL, -- the run of the machine; of another one, no budget is known
  empty_since REAL           -- elapsed: when bursts started empty; NULL if they did not
);

-- A row for each process that has the file open, and a marker beside the file that it keeps locked.
CREATE TABLE session (id INTEGER NOT NULL PRIMARY KEY);

CREATE TABLE call (
  id          TEXT NOT NULL PRIMARY KEY,
  at          REAL NOT NULL,
  address     TEXT NOT NULL,
  domain_path TEXT NOT NULL, -- labels reversed, "org.example.": what is below it is in one range
  host_path   TEXT NOT NULL, -- likewise, of the MX name
  ip          TEXT NOT NULL,
  body        TEXT NOT NULL  -- all the rest
);
CREATE INDEX call_by_time ON call (at);
CREATE INDEX call_by_address ON call (address, at);
CREATE INDEX call_by_domain ON call (domain_path, at);
CREATE INDEX call_by_host ON call (host_path, at);
CREATE INDEX call_by_ip ON call (ip, at);

-- Calls under way, and those that were stopped in it until they are an hour old: few, so that what protects
-- others is committed soon.
CREATE TABLE begun (
  id          TEXT NOT NULL PRIMARY KEY,
  at          REAL NOT NULL,
  address     TEXT NOT NULL,
  domain_path TEXT NOT NULL,
  host_path   TEXT NOT NULL,
  ip          TEXT NOT NULL,
  body        TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE secret (
  name   TEXT NOT NULL PRIMARY KEY,
  octets BLOB NOT NULL
);

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
