"""Every table. Columns hold what is searched, ordered or unique; `body` holds the whole noun as JSON (`bot.store.codec`).

The unique rules that the story relies on live here and nowhere else: one open incident a key, one vote a person, one decision a
proposal, one press a gate, one row a message, one finding a slot and subject.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
)

from bot.store.columns import Moment, Name

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


class _Incidents(TypedColumns):
    id = Column(Number, primary_key=True, autoincrement=True)
    key = Column(Name, nullable=True, unique=True)  # NULL once closed, and NULLs never collide
    model = Column(Name, nullable=False)
    state = Column(Text, nullable=False)
    version = Column(Integer, nullable=False)
    body = Column(Text, nullable=False)


incidents = Table(
    "incidents",
    metadata,
    _Incidents,
    CheckConstraint("(key IS NULL) = (state = 'resolved')", name="key_while_open"),
    Index(None, "model", "id"),
    sqlite_autoincrement=True,
)


class _Notes(TypedColumns):
    id = Column(Number, primary_key=True, autoincrement=True)
    model = Column(Name, nullable=False)
    environment = Column(Name, nullable=False)
    starts = Column(Moment, nullable=False)
    ends = Column(Moment, nullable=False)
    text = Column(Name, nullable=False)
    at = Column(Moment, nullable=False)
    body = Column(Text, nullable=False)


notes = Table(
    "notes",
    metadata,
    _Notes,
    UniqueConstraint("model", "environment", "starts", "ends", "text", name="uq_notes_once"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)


class _Findings(TypedColumns):  # in this order one index answers every question, and what is old lies together
    model = Column(Name, primary_key=True)
    check_name = Column(Name, primary_key=True)
    slot = Column(Moment, primary_key=True)
    subject = Column(Name, primary_key=True)
    verdict = Column(Text, nullable=False)
    body = Column(Text, nullable=False)


findings = Table("findings", metadata, _Findings)


class _References(TypedColumns):
    model = Column(Name, primary_key=True)
    fingerprint = Column(Name, primary_key=True)
    body = Column(Text, nullable=False)
    arrays = Column(LargeBinary, nullable=False)  # npz, read with allow_pickle=False


references = Table("references_", metadata, _References)


class _Wanted(TypedColumns):
    model = Column(Name, primary_key=True)
    fingerprint = Column(Name, primary_key=True)
    at = Column(Moment, nullable=False)  # when a configuration was last seen to ask for this reference


wanted = Table("wanted", metadata, _Wanted)


class _Lines(TypedColumns):
    model = Column(Name, primary_key=True)
    watch = Column(Name, primary_key=True)
    fingerprint = Column(Name, nullable=False)
    body = Column(Text, nullable=False)


lines = Table("lines", metadata, _Lines)


class _Proposals(TypedColumns):
    id = Column(Name, primary_key=True)
    incident = Column(Number, ForeignKey("incidents.id"), nullable=False)
    standing = Column(Text, nullable=False)
    proposed_at = Column(Moment, nullable=False)
    body = Column(Text, nullable=False)


proposals = Table("proposals", metadata, _Proposals, Index(None, "incident"), Index(None, "standing"))


class _Votes(TypedColumns):
    proposal = Column(Name, ForeignKey("proposals.id"), primary_key=True)
    voter = Column(Name, primary_key=True)
    at = Column(Moment, nullable=False)
    body = Column(Text, nullable=False)


votes = Table("votes", metadata, _Votes)


class _Decisions(TypedColumns):
    proposal = Column(Name, ForeignKey("proposals.id"), primary_key=True)
    standing = Column(Text, nullable=False)
    decided_by = Column(Name, nullable=False)
    decided_at = Column(Moment, nullable=True)


decisions = Table(
    "decisions",
    metadata,
    _Decisions,
    CheckConstraint("standing <> 'waiting'", name="a_decision_decides"),
)


class _Runs(TypedColumns):
    id = Column(Name, primary_key=True)
    incident = Column(Number, ForeignKey("incidents.id"), nullable=False)
    model = Column(Name, nullable=False)
    over = Column(Boolean, nullable=False)
    queued_at = Column(Moment, nullable=False)
    body = Column(Text, nullable=False)


runs = Table("runs", metadata, _Runs, Index(None, "incident"), Index(None, "model"), Index(None, "over"))


class _Presses(TypedColumns):
    run = Column(Name, ForeignKey("runs.id"), primary_key=True)
    step = Column(Name, primary_key=True)
    at = Column(Moment, nullable=False)
    body = Column(Text, nullable=False)


presses = Table("presses", metadata, _Presses)


class _Holds(TypedColumns):
    kind = Column(Name, primary_key=True)
    subject = Column(Name, primary_key=True)
    at = Column(Moment, nullable=False)
    body = Column(Text, nullable=False)


holds = Table("holds", metadata, _Holds)


class _Notices(TypedColumns):
    key = Column(Name, primary_key=True)
    channel = Column(Name, nullable=False)
    thread = Column(Name, nullable=False)
    body = Column(Text, nullable=False)
    revision = Column(Integer, nullable=False)
    sent_revision = Column(Integer, nullable=False)
    state = Column(Text, nullable=False)
    position = Column(BigInteger, nullable=False)  # its place in its channel's queue, taken when it became due
    waiting_since = Column(Moment, nullable=False)
    next_try = Column(Moment, nullable=True)
    attempts = Column(Integer, nullable=False)
    error = Column(Text, nullable=False)
    ts = Column(Name, nullable=False)
    claimed_at = Column(Moment, nullable=True)
    sending_since = Column(Moment, nullable=True)
    first_sending = Column(Moment, nullable=True)
    nonce = Column(Text, nullable=False)
    suspects = Column(Text, nullable=False)
    kept = Column(Text, nullable=False)


notices = Table(
    "notices",
    metadata,
    _Notices,
    CheckConstraint("state IN ('waiting', 'claimed', 'sending', 'sent', 'failed')", name="state"),
    CheckConstraint("sent_revision <= revision", name="never_ahead"),
    Index(None, "state", "position"),
    Index(None, "channel", "ts"),
    Index(None, "thread"),
)


class _Audit(TypedColumns):
    seq = Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)
    at = Column(Text, nullable=False)  # the texts are hashed as they stand, so nothing may be parsed and printed again
    actor = Column(Text, nullable=False)
    action = Column(Text, nullable=False)
    target = Column(Text, nullable=False)
    incident = Column(BigInteger, nullable=True)
    payload = Column(Text, nullable=False)
    prev = Column(Text, nullable=False)
    hash = Column(Text, nullable=False)


audit = Table("audit", metadata, _Audit, Index(None, "incident"))


class _Checkpoints(TypedColumns):
    id = Column(Number, primary_key=True, autoincrement=True)
    size = Column(BigInteger, nullable=False)
    root = Column(Text, nullable=False)
    at = Column(Moment, nullable=False)
    previous = Column(Text, nullable=False, unique=True)  # two replicas cannot both follow the same one
    signature = Column(Text, nullable=False)


checkpoints = Table("checkpoints", metadata, _Checkpoints, sqlite_autoincrement=True)
