-- Writes are closed from now on; where they are closed already, the first time and its terms stay.
INSERT INTO namrong.writes AS held (role, withheld, giving, closed_at, deadline, keeper, attempt, unsettled)
SELECT %(role)s, %(withheld)s, %(giving)s, now, now + %(within)s::interval, %(keeper)s, %(attempt)s, %(unsettled)s
FROM coalesce(%(since)s::timestamptz, clock_timestamp()) AS now
ON CONFLICT (role) DO UPDATE SET
    withheld     = excluded.withheld,
    giving       = excluded.giving,
    closed_at    = coalesce(held.closed_at, excluded.closed_at),
    deadline     = CASE WHEN held.closed_at IS NULL THEN excluded.deadline ELSE held.deadline END,
    permanent_at = CASE WHEN held.closed_at IS NULL THEN NULL ELSE held.permanent_at END,
    keeper       = CASE WHEN held.closed_at IS NULL THEN excluded.keeper ELSE held.keeper END,
    attempt      = CASE WHEN held.closed_at IS NULL THEN excluded.attempt ELSE held.attempt END,
    unsettled    = excluded.unsettled AND (held.closed_at IS NULL OR held.unsettled),
    expired_at   = NULL,
    not_given    = NULL,
    opened_at    = NULL
