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

-- name: list_facts
SELECT * FROM fact
WHERE kind = :kind AND expires_at > :now AND (noted_at, subject) < (:noted_at, :subject)
ORDER BY noted_at DESC, subject DESC LIMIT :most;

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
INSERT INTO wait (key, network, wide_network, first_at, count, returned, expires_at)
VALUES (:key, :network, :wide_network, :first_at, :count, :returned, :expires_at)
ON CONFLICT (key) DO UPDATE SET
  first_at = excluded.first_at, count = excluded.count, returned = excluded.returned,
  expires_at = excluded.expires_at;

-- name: count_crowd
SELECT scope AS name, number FROM crowd
WHERE (scope = 'network' AND network = :network)
  OR (scope = 'wide_network' AND network = :wide_network)
  OR (scope = 'all' AND network = '');

-- name: load_acquaintance
SELECT * FROM acquaintance WHERE network = :network;

-- name: save_acquaintance
INSERT INTO acquaintance (network, contacts, returned, expires_at, waiting, waiting_since)
VALUES (:network, :contacts, :returned, :expires_at, :waiting, :waiting_since)
ON CONFLICT (network) DO UPDATE SET
  contacts = excluded.contacts, returned = excluded.returned, expires_at = excluded.expires_at,
  waiting = excluded.waiting, waiting_since = excluded.waiting_since;

-- name: load_budget
SELECT full_at, interval_s FROM budget WHERE key = :key;

-- name: save_budget
INSERT INTO budget (key, full_at, interval_s) VALUES (:key, :full_at, :interval_s)
ON CONFLICT (key) DO UPDATE SET full_at = excluded.full_at, interval_s = excluded.interval_s;

-- name: forget_budgets
DELETE FROM budget;

-- name: load_epoch
SELECT boot, empty_since FROM epoch;

-- name: begin_epoch
INSERT INTO epoch (boot, empty_since) VALUES (:boot, NULL);

-- name: empty_bursts
UPDATE epoch SET boot = :boot, empty_since = :empty_since;

-- name: list_sessions
SELECT id FROM session;

-- name: begin_session
INSERT INTO session (id) VALUES (:id);

-- name: end_session
DELETE FROM session WHERE id = :id;

-- name: begin_call
INSERT INTO begun (id, at, address, domain_path, host_path, ip, body)
VALUES (:id, :at, :address, :domain_path, :host_path, :ip, :body);

-- name: end_call
DELETE FROM begun WHERE id IN (VALUES (:id));

-- name: save_call
INSERT INTO call (id, at, address, domain_path, host_path, ip, body)
VALUES (:id, :at, :address, :domain_path, :host_path, :ip, :body)
ON CONFLICT (id) DO UPDATE SET body = excluded.body;

-- name: search_calls_by_address
SELECT * FROM call WHERE address = :address AND at >= :since_at
UNION ALL SELECT * FROM begun WHERE address = :address AND at >= :since_at
ORDER BY at DESC LIMIT :most;

-- name: search_calls_by_ip
SELECT * FROM call WHERE ip = :ip AND at >= :since_at
UNION ALL SELECT * FROM begun WHERE ip = :ip AND at >= :since_at
ORDER BY at DESC LIMIT :most;

-- From an index each, without the rest of the row, before the newest of both are read.
-- name: search_calls_by_name
WITH
  of_domain AS
    (SELECT rowid AS number, at FROM call INDEXED BY call_by_domain
     WHERE domain_path >= :path AND domain_path < :path_end AND at >= :since_at
     ORDER BY at DESC LIMIT :most),
  of_host AS
    (SELECT rowid AS number, at FROM call INDEXED BY call_by_host
     WHERE host_path >= :path AND host_path < :path_end AND at >= :since_at
     ORDER BY at DESC LIMIT :most),
  found AS (SELECT * FROM of_domain UNION SELECT * FROM of_host)
SELECT call.* FROM found JOIN call ON call.rowid = found.number
UNION ALL SELECT * FROM begun
WHERE (domain_path >= :path AND domain_path < :path_end
    OR host_path >= :path AND host_path < :path_end)
  AND at >= :since_at
ORDER BY at DESC LIMIT :most;

-- name: make_secret
INSERT INTO secret (name, octets) VALUES (:name, :octets) ON CONFLICT (name) DO NOTHING;

-- name: load_secret
SELECT octets FROM secret WHERE name = :name;

-- name: search_entries
SELECT * FROM entry WHERE key IN (:pattern, :as_recipient) OR domain = :pattern
ORDER BY checked_at DESC LIMIT :most;

-- name: forget_entries
DELETE FROM entry WHERE key IN (:pattern, :as_recipient) OR domain = :pattern;

-- name: forget_facts
DELETE FROM fact WHERE subject IN (:pattern, :as_recipient);

-- name: count_entries
SELECT reason AS name, count(*) AS number FROM entry GROUP BY reason;

-- name: count_facts
SELECT kind AS name, count(*) AS number FROM fact GROUP BY kind;

-- name: count_waits
SELECT count(*) FROM wait;

-- name: count_acquaintances
SELECT count(*) FROM acquaintance;

-- name: count_budgets
SELECT count(*) FROM budget;

-- name: count_calls
SELECT (SELECT count(*) FROM call) + (SELECT count(*) FROM begun);

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

-- name: sweep_acquaintances
DELETE FROM acquaintance WHERE rowid IN
  (SELECT rowid FROM acquaintance WHERE expires_at <= :now ORDER BY expires_at LIMIT :most);

-- name: sweep_calls
DELETE FROM call WHERE rowid IN
  (SELECT rowid FROM call WHERE at <= :audited_until ORDER BY at LIMIT :most);

-- name: seek_begun
SELECT count(*), max(id) FROM
  (SELECT id FROM begun WHERE id > :after ORDER BY id LIMIT :most);

-- name: keep_stopped_calls
INSERT INTO call SELECT * FROM begun WHERE id > :after AND id <= :last AND at <= :until
ON CONFLICT (id) DO NOTHING;

-- name: drop_stopped_calls
DELETE FROM begun WHERE id > :after AND id <= :last AND at <= :until;

-- name: seek_budgets
SELECT count(*), max(key) FROM
  (SELECT key FROM budget WHERE key > :after ORDER BY key LIMIT :most);

-- name: sweep_budgets
DELETE FROM budget WHERE key > :after AND key <= :last AND full_at <= :until;

-- How many entries of 2 kB the file could hold: counting ten million takes a second.
-- name: weigh_entries
SELECT (page_count - freelist_count) * page_size / 2048
FROM pragma_page_count, pragma_freelist_count, pragma_page_size;

-- name: total_facts
SELECT count(*) FROM fact;

-- Calls come and go in one order: counting a million takes some tens of milliseconds.
-- name: total_calls
SELECT coalesce((SELECT max(rowid) FROM call) - (SELECT min(rowid) FROM call) + 1, 0);

-- name: trim_entries
DELETE FROM entry WHERE rowid IN (SELECT rowid FROM entry ORDER BY expires_at LIMIT :most);

-- name: trim_facts
DELETE FROM fact WHERE rowid IN (SELECT rowid FROM fact ORDER BY expires_at LIMIT :most);

-- name: trim_acquaintances
DELETE FROM acquaintance WHERE rowid IN
  (SELECT rowid FROM acquaintance ORDER BY returned > 0, expires_at LIMIT :most);

-- name: trim_calls
DELETE FROM call WHERE rowid IN (SELECT rowid FROM call ORDER BY at LIMIT :most);

-- name: find_list
SELECT * FROM list WHERE digest = :digest;

-- Its time is over, or it was never whole: then it may hold what is not on it.
-- name: give_up_list
UPDATE list SET digest = NULL
WHERE digest = :digest AND holder IS NULL AND (keep_until <= :now OR NOT is_whole);

-- name: make_list
INSERT INTO list (digest, made_at, keep_until, is_whole) VALUES (:digest, :now, :now, 0)
ON CONFLICT (digest) DO NOTHING;

-- One that is done is kept no longer for being opened: run each week, it would never be asked again.
-- name: hold_list
UPDATE list SET holder = :holder, keep_until = CASE
  WHEN is_whole AND NOT EXISTS (SELECT 1 FROM job WHERE list = :list AND due_at IS NOT NULL)
  THEN keep_until ELSE max(keep_until, :keep_until) END
WHERE number = :list;

-- name: complete_list
UPDATE list SET is_whole = 1 WHERE number = :list;

-- name: let_go_list
UPDATE list SET holder = NULL WHERE number = :list;

-- name: forget_list
UPDATE list SET digest = NULL WHERE number = :list;

-- Of a run that was stopped.
-- name: give_back_domains
UPDATE list_domain SET due_at = 0 WHERE list = :list AND due_at IS NULL;

-- name: add_job
INSERT INTO job (list, domain, key, due_at, tries, reason, callouts, body)
VALUES (:list, :domain, :key, 0, 0, '', 0, '')
ON CONFLICT (list, domain, key) DO NOTHING;

-- name: add_domain
INSERT INTO list_domain (list, domain, due_at) VALUES (:list, :domain, 0)
ON CONFLICT (list, domain) DO NOTHING;

-- name: due_domains
SELECT domain FROM list_domain WHERE list = :list AND due_at <= :now ORDER BY due_at LIMIT :most;

-- name: jobs_come_back
SELECT list, key, domain, due_at, tries, callouts FROM job
WHERE list = :list AND domain = :domain AND due_at > 0 AND due_at <= :now
ORDER BY due_at LIMIT :most;

-- name: new_jobs
SELECT list, key, domain, due_at, tries, callouts FROM job
WHERE list = :list AND domain = :domain AND due_at = 0 ORDER BY rowid LIMIT :most;

-- name: take_domain
UPDATE list_domain SET due_at = NULL WHERE list = :list AND domain = :domain;

-- name: next_domain
SELECT min(due_at) FROM list_domain WHERE list = :list;

-- name: save_job
UPDATE job SET due_at = :due_at, tries = :tries, reason = :reason, callouts = :callouts, body = :body
WHERE list = :list AND domain = :domain AND key = :key;

-- As soon as one of its jobs is due; of one that has none left, never.
-- name: save_turn
UPDATE list_domain SET due_at = max(:due_at,
  (SELECT min(due_at) FROM job WHERE list = :list AND domain = :domain AND due_at IS NOT NULL))
WHERE list = :list AND domain = :domain;

-- name: end_turn
DELETE FROM list_domain WHERE list = :list AND domain = :domain AND due_at IS NULL;

-- Never to 0, which is due at once.
-- name: set_back_jobs
UPDATE job SET due_at = max(due_at - :step_s, 1) WHERE list = :list AND due_at > 0;

-- name: set_back_domains
UPDATE list_domain SET due_at = max(due_at - :step_s, 0) WHERE list = :list AND due_at > 0;

-- One that cannot be read: whatever its columns hold, they are how it is found.
-- name: end_damaged_job
UPDATE job SET due_at = NULL, tries = 0, reason = :reason, callouts = 0, body = :body
WHERE list = :list AND domain = :domain AND key = :key;

-- name: end_jobs
UPDATE job SET due_at = NULL,
  reason = CASE reason WHEN '' THEN :reason ELSE reason END,
  body = CASE reason WHEN '' THEN :body ELSE body END
WHERE rowid IN (SELECT rowid FROM job WHERE list = :list AND due_at IS NOT NULL LIMIT :most);

-- `wanted`: a JSON array of pairs, domain and key.
-- name: load_done_jobs
SELECT job.key, job.reason, job.body FROM json_each(:wanted) AS one CROSS JOIN job
  ON job.list = :list AND job.domain = json_extract(one.value, '$[0]')
  AND job.key = json_extract(one.value, '$[1]')
WHERE job.due_at IS NULL;

-- name: tally_jobs
SELECT reason AS name, count(*) AS number, sum(callouts) AS callouts
FROM job INDEXED BY job_by_reason WHERE list = :list AND due_at IS NULL GROUP BY reason
UNION ALL
SELECT '', count(*), 0 FROM job INDEXED BY job_by_turn WHERE list = :list AND due_at IS NOT NULL;

-- name: tally_domains
WITH top AS
  (SELECT domain, count(*) AS total FROM job WHERE list = :list
   GROUP BY domain ORDER BY total DESC, domain LIMIT :most)
SELECT top.domain, job.reason AS name, count(*) AS number
FROM top CROSS JOIN job INDEXED BY job_by_reason
  ON job.list = :list AND job.domain = top.domain AND job.due_at IS NULL
GROUP BY top.domain, job.reason
UNION ALL
SELECT top.domain, '', count(*)
FROM top CROSS JOIN job INDEXED BY job_by_turn
  ON job.list = :list AND job.domain = top.domain AND job.due_at IS NOT NULL
GROUP BY top.domain;

-- What was told is forgotten, the question is not: it is asked again when the list is.
-- name: forget_reports
UPDATE job SET due_at = 0, tries = 0, reason = '', body = ''
WHERE reason <> '' AND rowid IN
  (SELECT job.rowid FROM list CROSS JOIN job
     ON job.list = list.number AND job.domain = :domain AND job.key = :pattern
   UNION ALL
   SELECT job.rowid FROM list CROSS JOIN job ON job.list = list.number AND job.domain = :pattern);

-- name: ask_domain_again
INSERT INTO list_domain (list, domain, due_at)
SELECT number, :domain, 0 FROM list WHERE EXISTS
  (SELECT 1 FROM job WHERE job.list = number AND domain = :domain AND due_at = 0)
ON CONFLICT (list, domain) DO NOTHING;

-- name: sweep_lists
UPDATE list SET digest = NULL WHERE number IN
  (SELECT number FROM list
   WHERE keep_until <= :now AND digest IS NOT NULL AND holder IS NULL LIMIT :most);

-- name: sweep_jobs
DELETE FROM job WHERE rowid IN
  (SELECT job.rowid FROM list CROSS JOIN job ON job.list = list.number
   WHERE list.digest IS NULL LIMIT :most);

-- name: sweep_list_domains
DELETE FROM list_domain WHERE (list, domain) IN
  (SELECT list_domain.list, list_domain.domain
   FROM list CROSS JOIN list_domain ON list_domain.list = list.number
   WHERE list.digest IS NULL LIMIT :most);

-- name: drop_lists
DELETE FROM list WHERE number IN
  (SELECT number FROM list WHERE digest IS NULL
     AND NOT EXISTS (SELECT 1 FROM job WHERE job.list = number)
     AND NOT EXISTS (SELECT 1 FROM list_domain WHERE list_domain.list = number)
   LIMIT :most);
