"""Presses at the gates of runs: one row a gate, so that a gate is passed once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "presses",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_presses_run_runs")),
        sa.PrimaryKeyConstraint("run", "step", name=op.f("pk_presses")),
    )


def downgrade() -> None:
    """Drop it; runs that wait at a gate wait on, and go back when their time is over."""
    op.drop_table("presses")
