"""Who may do what in an archive on a server: three roles, and whose reports are whose. Knows no account.

A reader searches. A writer imports, signs and re-indexes, but replaces no report that someone else has signed: that is
a rule on rows (row-level security). An administrator deletes, merges and maintains. Nobody changes the audit. Drafts
are in no archive: they stay in the workspace of the desk.
"""

from engine.store.shared_sql import Connection

READER, WRITER, ADMINISTRATOR = "kindred_reader", "kindred_writer", "kindred_administrator"
"""Roles that are granted to accounts: GRANT kindred_writer TO name. Each may what the one before may."""

ADDED = (
    *("cases", "images", "reports", "embeddings", "facts", "new_embeddings", "new_facts", "checksums", "merged_keys"),
    *("join_keys", "name_keys", "text_checked", "imports", "settings", "derived", "audit", "audit_chain", "audit_head"),
)
WORK = ("jobs", "work")
CHANGED = tuple(name for name in ADDED if name not in ("audit", "audit_chain"))
REMOVED = ("reports", "embeddings", "facts", "new_embeddings", "new_facts", "checksums", "settings", "derived")
OWN = "state = 'imported' OR login = session_user"
"""Reports that a writer may replace; those that were imported, too, since a signed one takes their place."""


def grant_rights(db: Connection) -> None:
    """Make the roles where they are missing, and give them their rights, inside an open transaction.

    Raises:
        psycopg.errors.InsufficientPrivilege: the account may not make roles.
    """
    for role in (READER, WRITER, ADMINISTRATOR):
        db.execute(
            f"""DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE {role} NOLOGIN; END IF;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"""
        )
    grant_tables(db)
    for statement in (
        "ALTER TABLE reports ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY read_all ON reports FOR SELECT TO {READER}, {WRITER} USING (true)",
        f"CREATE POLICY add_own ON reports FOR INSERT TO {WRITER} WITH CHECK (login = session_user)",
        f"CREATE POLICY change_own ON reports FOR UPDATE TO {WRITER} USING ({OWN})",
        f"CREATE POLICY remove_own ON reports FOR DELETE TO {WRITER} USING ({OWN})",
        "ALTER TABLE audit_chain ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY read_all ON audit_chain FOR SELECT TO {READER}, {WRITER}, {ADMINISTRATOR} USING (true)",
        f"""CREATE POLICY add_own ON audit_chain FOR INSERT TO {WRITER}, {ADMINISTRATOR}
            WITH CHECK (login = session_user)""",
        f"CREATE POLICY administer ON reports FOR ALL TO {ADMINISTRATOR} USING (true)",
    ):
        db.execute(statement)


def grant_tables(db: Connection) -> None:
    """Give the roles their rights on all tables, also on those that a migration adds, inside an open transaction."""
    everything = ", ".join({*ADDED, *WORK, "identity", "revision", "migrations", "fact_vectors"})
    for statement in (
        f"GRANT USAGE ON SCHEMA kindred TO {READER}, {WRITER}, {ADMINISTRATOR}",
        f"GRANT SELECT ON {everything} TO {READER}, {WRITER}, {ADMINISTRATOR}",
        f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA kindred TO {READER}, {WRITER}, {ADMINISTRATOR}",
        f"GRANT UPDATE ON revision TO {WRITER}, {ADMINISTRATOR}",
        f"GRANT INSERT ON {', '.join(ADDED)} TO {WRITER}, {ADMINISTRATOR}",
        f"GRANT UPDATE ON {', '.join(CHANGED)} TO {WRITER}, {ADMINISTRATOR}",
        f"GRANT DELETE ON {', '.join(REMOVED)} TO {WRITER}",
        f"GRANT INSERT, UPDATE, DELETE ON {', '.join(WORK)} TO {WRITER}, {ADMINISTRATOR}",
        f"GRANT DELETE, MAINTAIN ON {', '.join(CHANGED)} TO {ADMINISTRATOR}",
    ):
        db.execute(statement)
