"""Everything at the start: the story's tables, the outbox, and an audit log that the database itself keeps people from changing."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
REFUSAL = "the audit log can only be appended to"

SQLITE_GUARD = """
CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit
BEGIN SELECT RAISE(ABORT, '{refusal}'); END
"""
POSTGRES_REFUSAL = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{refusal}' USING ERRCODE = 'restrict_violation'; END $$
"""
POSTGRES_ROW_GUARD = "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()"
POSTGRES_TABLE_GUARD = (
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
)


def upgrade() -> None:
    """Make every table, then guard the audit log."""
    _audit()
    _checkpoints()
    _findings()
    _incidents()
    _notes()
    _notices()
    _references()
    _proposals()
    _runs()
    _decisions()
    _votes()
    _guard()


def downgrade() -> None:
    """Drop every table; a guard goes with its table."""
    for table in (
        "votes",
        "decisions",
        "runs",
        "proposals",
        "references_",
        "notices",
        "notes",
        "incidents",
        "findings",
        "checkpoints",
        "audit",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_refuse()")


def _guard() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(SQLITE_GUARD.format(verb=verb, refusal=REFUSAL))
        return
    op.execute(POSTGRES_REFUSAL.format(refusal=REFUSAL))
    op.execute(POSTGRES_ROW_GUARD)
    op.execute(POSTGRES_TABLE_GUARD)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("incident", sa.BigInteger(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("prev", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_incident"), "audit", ["incident"], unique=False)


def _checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoints")),
        sa.UniqueConstraint("previous", name=op.f("uq_checkpoints_previous")),
        sqlite_autoincrement=True,
    )


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("slot", MOMENT, nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "slot", "check_name", "subject", name=op.f("pk_findings")),
    )
    op.create_index(
        op.f("ix_findings_model_check_name_subject_slot"), "findings", ["model", "check_name", "subject", "slot"], unique=False
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint("(key IS NULL) = (state = 'resolved')", name=op.f("ck_incidents_key_while_open")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("key", name=op.f("uq_incidents_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_incidents_model_id"), "incidents", ["model", "id"], unique=False)


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("starts", MOMENT, nullable=False),
        sa.Column("ends", MOMENT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
        sa.UniqueConstraint("model", "environment", "starts", "ends", "text", name="uq_notes_once"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notes_at"), "notes", ["at"], unique=False)


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sent_revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("waiting_since", MOMENT, nullable=False),
        sa.Column("next_try", MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.Column("claimed_at", MOMENT, nullable=True),
        sa.Column("sending_since", MOMENT, nullable=True),
        sa.Column("first_sending", MOMENT, nullable=True),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("suspects", sa.Text(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'claimed', 'sending', 'sent', 'failed')", name=op.f("ck_notices_state")),
        sa.CheckConstraint("sent_revision <= revision", name=op.f("ck_notices_never_ahead")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_channel_ts"), "notices", ["channel", "ts"], unique=False)
    op.create_index(op.f("ix_notices_state_position"), "notices", ["state", "position"], unique=False)
    op.create_index(op.f("ix_notices_thread"), "notices", ["thread"], unique=False)


def _references() -> None:
    op.create_table(
        "references_",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("arrays", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("model", "fingerprint", name=op.f("pk_references_")),
    )


def _proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident", NUMBER, nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_proposals_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
    )
    op.create_index(op.f("ix_proposals_incident"), "proposals", ["incident"], unique=False)
    op.create_index(op.f("ix_proposals_standing"), "proposals", ["standing"], unique=False)


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident", NUMBER, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("queued_at", MOMENT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name=op.f("fk_runs_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_incident"), "runs", ["incident"], unique=False)
    op.create_index(op.f("ix_runs_model"), "runs", ["model"], unique=False)
    op.create_index(op.f("ix_runs_over"), "runs", ["over"], unique=False)


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("proposal", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.CheckConstraint("standing <> 'waiting'", name=op.f("ck_decisions_a_decision_decides")),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.id"], name=op.f("fk_decisions_proposal")),
        sa.PrimaryKeyConstraint("proposal", name=op.f("pk_decisions")),
    )


def _votes() -> None:
    op.create_table(
        "votes",
        sa.Column("proposal", sa.Text(), nullable=False),
        sa.Column("voter", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.id"], name=op.f("fk_votes_proposal")),
        sa.PrimaryKeyConstraint("proposal", "voter", name=op.f("pk_votes")),
    )
