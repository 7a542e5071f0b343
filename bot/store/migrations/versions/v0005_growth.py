"""Findings in the order in which they are asked for, with one index instead of two; and when a reference was last asked for.

The table of findings is written anew: on SQLite it needs as much free disk again while that lasts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = "model, slot, check_name, subject, verdict, body"


def upgrade() -> None:
    """Order the findings by model, check and slot; make the table of what is asked for."""
    op.drop_index(op.f("ix_findings_model_check_name_subject_slot"), table_name="findings")
    _ordered("model", "check_name", "slot", "subject")
    op.create_table(
        "wanted",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("model", "fingerprint", name=op.f("pk_wanted")),
    )


def downgrade() -> None:
    """Go back to the order by slot, and to the second index."""
    op.drop_table("wanted")
    _ordered("model", "slot", "check_name", "subject")
    op.create_index(op.f("ix_findings_model_check_name_subject_slot"), "findings", ["model", "check_name", "subject", "slot"])


def _ordered(*key: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("pk_findings"), "findings", type_="primary")
        op.create_primary_key(op.f("pk_findings"), "findings", list(key))
        return
    op.create_table(
        "findings_anew",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_findings")),
    )
    op.execute(f"INSERT INTO findings_anew ({COLUMNS}) SELECT {COLUMNS} FROM findings ORDER BY {', '.join(key)}")  # noqa: S608
    op.drop_table("findings")
    op.rename_table("findings_anew", "findings")
