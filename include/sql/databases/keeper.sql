-- The keeper of one freeze: a session of the source's own server, left alone by the program that began it. It gives
-- the service its writes back when the deadline has passed, unless the freeze was lifted or made permanent before.
-- Between two looks it holds no lock, and no snapshot for longer than a step.
DO $keeper$
DECLARE
    mine     CONSTANT text := current_setting('namrong.keeper');
    of_role  CONSTANT text := current_setting('namrong.role');
    step     CONSTANT double precision := 0.5;
    patience CONSTANT interval := '1 min';  -- so long it is all or nothing, then whatever can be given
    gone     CONSTANT text[] := ARRAY['42P01', '42703', '42704', '3F000'];  -- dropped meanwhile: nothing to give there
    tried_at timestamptz;
    failed   boolean;
    coming   boolean;  -- the freeze's own transaction is still open
    looked   boolean;
    standing boolean;
    held     record;
    given    text;
    refused  jsonb;
BEGIN
    LOOP
        -- Asked before the look: whoever freezes holds this lock until after the commit.
        coming := NOT pg_try_advisory_xact_lock(hashtextextended(mine, 0));
        COMMIT;
        looked := false;
        BEGIN
            standing := coming;
            IF to_regclass('namrong.writes') IS NOT NULL THEN
                SELECT deadline INTO held FROM namrong.writes
                WHERE role = of_role AND keeper = mine AND closed_at IS NOT NULL AND permanent_at IS NULL;
                standing := coming OR FOUND;
                IF FOUND AND held.deadline <= clock_timestamp() THEN
                    SELECT giving INTO held FROM namrong.writes
                    WHERE role = of_role AND keeper = mine AND closed_at IS NOT NULL AND permanent_at IS NULL
                    FOR UPDATE SKIP LOCKED;  -- somebody is deciding about it: again at the next step
                    IF FOUND THEN
                        tried_at := coalesce(tried_at, clock_timestamp());
                        refused := '[]';
                        failed := false;
                        FOR given IN SELECT jsonb_array_elements_text(held.giving) LOOP
                            BEGIN
                                EXECUTE given;
                            EXCEPTION WHEN OTHERS THEN
                                refused := refused || jsonb_build_array(jsonb_build_array(given, SQLSTATE));
                                failed := failed OR SQLSTATE <> ALL (gone);
                            END;
                        END LOOP;
                        IF failed AND clock_timestamp() < tried_at + patience THEN
                            RAISE EXCEPTION 'not everything could be given back';  -- none of it, then; see below
                        END IF;
                        UPDATE namrong.writes
                        SET withheld = '[]', giving = '[]', closed_at = NULL, opened_at = now, expired_at = now,
                            not_given = nullif(refused, '[]')
                        FROM clock_timestamp() AS now WHERE role = of_role;
                    END IF;
                END IF;
            END IF;
            looked := true;
        EXCEPTION WHEN OTHERS THEN
            standing := true;  -- a lock, a table that is being altered: again at the next step
        END;
        COMMIT;
        EXIT WHEN NOT standing;
        IF looked THEN
            PERFORM set_config('application_name', mine, false);  -- seen from here on: it does look
        END IF;
        PERFORM pg_sleep(step);
        COMMIT;
    END LOOP;
END $keeper$
