-- The commit point of a switch: from here on the freeze does not end by itself. Refused (no row) when it has ended
-- already, belongs to another attempt, or ends within the margin: three seconds, of a short freeze a twentieth.
UPDATE namrong.writes
SET permanent_at = coalesce(permanent_at, clock_timestamp())
WHERE role = %(role)s AND attempt = %(attempt)s AND closed_at IS NOT NULL AND NOT unsettled
  AND (permanent_at IS NOT NULL OR deadline IS NULL
       OR clock_timestamp() < deadline - least(interval '3 s', (deadline - closed_at) / 20))
RETURNING permanent_at
