-- A callout is charged to nine budgets, most of which are about one host or one domain. By keys that begin
-- with its name they lie in two or three pages, not in nine.
-- Of two keys that mirror each other one is dropped: better a budget forgotten than a store that stays shut.

UPDATE OR REPLACE budget SET key = substr(key, 11) || ' strangers' WHERE key LIKE 'strangers %';
UPDATE OR REPLACE budget
SET key = substr(key, instr(key, ' ') + 1) || ' ' || substr(key, 1, instr(key, ' ') - 1)
WHERE key LIKE '% %' AND key NOT LIKE '% strangers';
UPDATE OR REPLACE budget
SET key = substr(key, instr(key, ' ') + 1, length(key) - instr(key, ' ') - 10)
  || ' ' || substr(key, 1, instr(key, ' ') - 1) || ' strangers'
WHERE key LIKE '% strangers';

-- Which of them are whole again is found by going through all: in an index by that instant, each would move.
DROP INDEX budget_by_recovery;

PRAGMA user_version = 4;
