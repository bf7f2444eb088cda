-- The tables as they are now: what the migrations come to. Nothing runs this file.
-- Instants are Unix seconds. `body` is JSON, see store/codec.py.

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

CREATE TABLE wait (
  key        TEXT NOT NULL PRIMARY KEY,
  first_at   REAL NOT NULL,
  count      INTEGER NOT NULL,
  expires_at REAL NOT NULL
);
CREATE INDEX wait_by_expiry ON wait (expires_at);

CREATE TABLE secret (
  name   TEXT NOT NULL PRIMARY KEY,
  octets BLOB NOT NULL
);

PRAGMA user_version = 1;
