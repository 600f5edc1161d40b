"""What AWS does to a fresh server before it hands it over: a master user who is no superuser."""

from __future__ import annotations

import psycopg
from psycopg import sql

from sandbox.postgres import Cluster

# Amazon RDS user guide, "Understanding the rds_superuser role". What PostgreSQL keeps from everybody but a superuser
# (server files, programs, ALTER SYSTEM, untrusted extensions) RDS does not hand out either.
SUPERUSER_LIKE = (
    "pg_checkpoint",
    "pg_create_subscription",
    "pg_maintain",
    "pg_monitor",
    "pg_read_all_settings",
    "pg_read_all_stats",
    "pg_signal_autovacuum_worker",
    "pg_signal_backend",
    "pg_stat_scan_tables",
    "pg_use_reserved_connections",
    "rds_password",
    "rds_replication",
)
SETTABLE = (
    "log_min_duration_statement",
    "log_statement",
    "session_replication_role",
    "temp_file_limit",
    "track_io_timing",
)


def hand_over(cluster: Cluster, master: str, password: str, database: str | None) -> None:
    """The roles that RDS makes, the master user, and the first database, owned by it."""
    who = sql.Identifier(master)
    with cluster.connect() as connection:
        for role in ("rds_superuser", "rds_password", "rds_replication"):
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
        groups = sql.SQL(", ").join(map(sql.Identifier, SUPERUSER_LIKE))
        connection.execute(sql.SQL("GRANT {} TO rds_superuser WITH ADMIN OPTION").format(groups))
        names = sql.SQL(", ").join(map(sql.Identifier, SETTABLE))
        connection.execute(sql.SQL("GRANT SET ON PARAMETER {} TO rds_superuser").format(names))
        # On RDS logical replication comes with the role rds_replication; PostgreSQL itself knows only the attribute.
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE REPLICATION").format(who))
        connection.execute(sql.SQL("GRANT rds_superuser TO {} WITH ADMIN OPTION").format(who))
        set_password(connection, master, password)
        connection.execute(sql.SQL("ALTER DATABASE postgres OWNER TO {}").format(who))
        if database is not None and database != "postgres":
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), who))


def set_password(connection: psycopg.Connection[tuple[object, ...]], role: str, password: str) -> None:
    """A new password, sent as a SCRAM verifier so that it can stand in no log."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))
