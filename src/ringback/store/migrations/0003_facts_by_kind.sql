-- Facts of one kind, the newest first: the hosts that are at rest, the domains that accept any address.

CREATE INDEX fact_by_kind ON fact (kind, noted_at, subject);

PRAGMA user_version = 3;
