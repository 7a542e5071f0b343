"""Measured lines: one row a watch, made anew when its reference or its configuration changes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "lines",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("watch", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "watch", name=op.f("pk_lines")),
    )


def downgrade() -> None:
    """Drop it; lines are measured again."""
    op.drop_table("lines")
