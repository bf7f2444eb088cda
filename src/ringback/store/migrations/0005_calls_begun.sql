-- A call is written down before it is made, and with all that was said when it is over. What is under way lies
-- in a table of its own, in one page or two: before, each had a page of six indexes changed while it waited.

CREATE TABLE begun (
  id          TEXT NOT NULL PRIMARY KEY,
  at          REAL NOT NULL,
  address     TEXT NOT NULL,
  domain_path TEXT NOT NULL,
  host_path   TEXT NOT NULL,
  ip          TEXT NOT NULL,
  body        TEXT NOT NULL
) WITHOUT ROWID;

PRAGMA user_version = 5;
