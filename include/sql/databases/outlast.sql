-- One turn at locking all tables against writers; which one could not be had, and since when, is told in settings of
-- the transaction. The first is waited for as long as there is patience: nothing is held yet. With the first in hand
-- the turn is short: whoever waits for us has not waited long enough to look for a deadlock when we let go again.
-- Then nothing of it stays locked.
DO $turn$
DECLARE
    tables CONSTANT jsonb := current_setting('namrong.tables');
    turn   CONSTANT interval := current_setting('namrong.turn');
    began  CONSTANT timestamptz := clock_timestamp();
    one    text;
    until  timestamptz;  -- NULL while nothing is held
    missed text := '';
BEGIN
    BEGIN
        FOR one IN SELECT jsonb_array_elements_text(tables) LOOP
            PERFORM set_config('lock_timeout', CASE WHEN until IS NULL THEN current_setting('namrong.patience') ELSE
                greatest(1, ceil(extract(epoch FROM until - clock_timestamp()) * 1000))::int::text END, true);
            EXECUTE 'LOCK TABLE ONLY ' || one || ' IN SHARE MODE';
            until := coalesce(until, clock_timestamp() + turn);
        END LOOP;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
        missed := one;
    END;
    PERFORM set_config('namrong.missed', missed, true), set_config('namrong.began', began::text, true);
END $turn$
