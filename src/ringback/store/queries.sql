-- Every statement that sqlite.py and its parts run, by name. Not here: tables (migrations/).

-- name: load_entry
SELECT * FROM entry WHERE key = :key;

-- name: save_entry
INSERT INTO entry (key, domain, reason, checked_at, expires_at, body)
VALUES (:key, :domain, :reason, :checked_at, :expires_at, :body)
ON CONFLICT (key) DO UPDATE SET
  reason = excluded.reason, checked_at = excluded.checked_at,
  expires_at = excluded.expires_at, body = excluded.body;

-- name: load_facts
SELECT * FROM fact WHERE subject = :subject;

-- name: save_fact
INSERT INTO fact (subject, kind, noted_at, expires_at, body)
VALUES (:subject, :kind, :noted_at, :expires_at, :body)
ON CONFLICT (subject, kind) DO UPDATE SET
  noted_at = excluded.noted_at, expires_at = excluded.expires_at, body = excluded.body;

-- name: forget_fact
DELETE FROM fact WHERE subject = :subject AND kind = :kind;

-- name: load_wait
SELECT * FROM wait WHERE key = :key;

-- name: save_wait
INSERT INTO wait (key, first_at, count, expires_at)
VALUES (:key, :first_at, :count, :expires_at)
ON CONFLICT (key) DO UPDATE SET
  first_at = excluded.first_at, count = excluded.count, expires_at = excluded.expires_at;

-- name: make_secret
INSERT INTO secret (name, octets) VALUES (:name, :octets) ON CONFLICT (name) DO NOTHING;

-- name: load_secret
SELECT octets FROM secret WHERE name = :name;

-- name: search_entries
SELECT * FROM entry WHERE key = :pattern OR domain = :pattern
ORDER BY checked_at DESC LIMIT :most;

-- name: forget_entries
DELETE FROM entry WHERE key = :pattern OR domain = :pattern;

-- name: forget_facts
DELETE FROM fact WHERE subject = :pattern;

-- name: count_entries
SELECT reason AS name, count(*) AS number FROM entry GROUP BY reason;

-- name: count_facts
SELECT kind AS name, count(*) AS number FROM fact GROUP BY kind;

-- name: count_waits
SELECT count(*) FROM wait;

-- name: measure_size
SELECT page_count * page_size FROM pragma_page_count, pragma_page_size;

-- name: sweep_entries
DELETE FROM entry WHERE rowid IN
  (SELECT rowid FROM entry WHERE expires_at <= :now ORDER BY expires_at LIMIT :most);

-- name: sweep_facts
DELETE FROM fact WHERE rowid IN
  (SELECT rowid FROM fact WHERE expires_at <= :now ORDER BY expires_at LIMIT :most);

-- name: sweep_waits
DELETE FROM wait WHERE rowid IN
  (SELECT rowid FROM wait WHERE expires_at <= :now ORDER BY expires_at LIMIT :most);
