"""The log of generations and verdicts, the statistics, and the views that people query.

Revision ID: 0001
"""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0001"
down_revision = None

_VIEWS = {
    "preference_stats": """
        SELECT keywords.text AS keyword, checkpoints.name AS checkpoint, pair_statistics.selected,
               pair_statistics.total, pair_statistics.rounds
        FROM pair_statistics
        JOIN keywords ON keywords.id = pair_statistics.keyword_id
        JOIN checkpoints ON checkpoints.id = pair_statistics.checkpoint_id
        WHERE keywords.text <> ''
    """,
    "checkpoint_stats": """
        SELECT checkpoints.name AS checkpoint, pair_statistics.selected, pair_statistics.total,
        pair_statistics.rounds FROM pair_statistics JOIN keywords ON keywords.id = pair_statistics.keyword_id
        JOIN checkpoints ON checkpoints.id = pair_statistics.checkpoint_id WHERE keywords.text = ''
    """,
    "image_verdicts": """
        SELECT generation_logs.id AS generation_id, generation_logs.session_id, generation_images.position,
               checkpoints.name AS checkpoint, generation_images.filename, generation_images.subfolder,
               CASE substr(verdicts.marks, generation_images.position + 1, 1)
                   WHEN '+' THEN 'selected' WHEN '-' THEN 'rejected' END AS verdict,
               generation_logs.judged_at
        FROM generation_logs
        JOIN generation_images ON generation_images.generation_number = generation_logs.number
        JOIN checkpoints ON checkpoints.id = generation_images.checkpoint_id
        LEFT JOIN verdicts ON verdicts.number = (
            SELECT MAX(newest.number) FROM verdicts AS newest
            WHERE newest.generation_number = generation_logs.number)
    """,
}


def upgrade(operations: Operations) -> None:
    keywords = operations.create_table(
        "keywords",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text, nullable=False, unique=True),
        sa.Column("rounds", sa.Float, nullable=False, server_default="0"),
        *(
            sa.Column(f"fit_{model}", sa.Float, nullable=False, server_default="0")
            for model in ("narrow", "middle", "wide", "pooled")
        ),
    )
    operations.create_table(
        "checkpoints",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("fingerprint", sa.Text),
    )
    _create_log(operations)
    operations.create_table(
        "pair_statistics",
        sa.Column("keyword_id", sa.Integer, sa.ForeignKey("keywords.id"), primary_key=True),
        sa.Column("checkpoint_id", sa.Integer, sa.ForeignKey("checkpoints.id"), primary_key=True),
        *(
            sa.Column(name, sa.Float, nullable=False)
            for name in (
                "selected",
                "total",
                "rounds",
                "score",
                "information",
                "narrow",
                "middle",
                "wide",
                "precision",
            )
        ),
        sqlite_with_rowid=False,
    )
    state = operations.create_table(
        "learned_state",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("identity", sa.String(32), nullable=False),
        sa.Column("formula", sa.Integer, nullable=False),
    )
    operations.bulk_insert(keywords, [{"id": 0, "text": "", "rounds": 0.0}])
    operations.bulk_insert(state, [{"id": 1, "identity": uuid4().hex, "formula": 0}])
    for name, query in _VIEWS.items():
        operations.execute(f"CREATE VIEW {name} AS {query}")


def _create_log(operations: Operations) -> None:
    generation = "generation_logs.number"
    operations.create_table(
        "generation_logs",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("session_id", "prompt_id", "prompt", "stage", "policy", "strategy")
        ),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("confidence", "evidence", "clarity")),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("seed", sa.Text),
        sa.Column("fallback", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True)),
        sa.Column("basis", sa.LargeBinary),
    )
    operations.create_index("generation_logs_session_id", "generation_logs", ["session_id"])
    operations.create_index("generation_logs_prompt_id", "generation_logs", ["prompt_id"])
    operations.create_table(
        "generation_keywords",
        sa.Column("generation_number", sa.Integer, sa.ForeignKey(generation), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("keyword_id", sa.Integer, sa.ForeignKey("keywords.id"), nullable=False),
        sa.Column("weight", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    operations.create_index(
        "generation_keywords_keyword_id", "generation_keywords", ["keyword_id", "generation_number"]
    )
    operations.create_table(
        "generation_images",
        sa.Column("generation_number", sa.Integer, sa.ForeignKey(generation), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("checkpoint_id", sa.Integer, sa.ForeignKey("checkpoints.id"), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("filename", "subfolder", "type")),
        sqlite_with_rowid=False,
    )
    operations.create_table(
        "generation_utilities",
        sa.Column("generation_number", sa.Integer, sa.ForeignKey(generation), primary_key=True),
        sa.Column("checkpoint_id", sa.Integer, sa.ForeignKey("checkpoints.id"), primary_key=True),
        sa.Column("utility", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    operations.create_table(
        "verdicts",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("generation_number", sa.Integer, sa.ForeignKey(generation), nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    operations.create_index("verdicts_generation_number", "verdicts", ["generation_number", "number"])
