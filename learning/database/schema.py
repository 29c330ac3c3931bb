"""The tables, as SQLAlchemy Core sees them.

Separate from `store` because the migrations' own test compares them with what the migrations built; the views
that people query are made by the migrations. The log (generations, their keywords, images and utilities, and
every verdict ever given) is the truth. `pair_statistics` and `keywords.rounds` are sums over it that can be
recomputed at any time (`store.rebuild`).

Some columns and tables were named before the words of the code were: databases keep their names. They are `alone`
(`KeywordTrend.exploit_streak`), `growth` (`log_decay_weight`), `basis` (a packed `PriorSnapshot`), `recomputation`,
and the shadow tables `..._anew`.

Keyword and checkpoint texts are interned, and pairs have no row id of their own in SQLite: a pair takes about
60 bytes.
"""

from __future__ import annotations

from datetime import datetime, timezone

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

REVISION = "0009"
"""The newest revision in `migrations/versions`, known without importing Alembic."""

VERSION_TABLE = "context_checkpoint_version"
"""Not Alembic's default name: a studio's PostgreSQL database may hold another application's migrations."""

OVERALL = ""
"""The keyword whose statistics are a checkpoint's general effect, and whose rounds are all judged ones."""

OVERALL_ID = 0
"""Its id, given by the first migration."""

LOG_LIKELIHOOD_COLUMNS = ("fit_narrow", "fit_middle", "fit_wide", "fit_pooled")
"""Log likelihoods of all verdicts under each model, in the order of `snapshot.MODELS`; kept for `OVERALL` alone."""

TREND_COLUMNS = ("surprise", "alone", "growth")
"""The fields of a keyword's `KeywordTrend`: `surprise`, `exploit_streak`, `log_decay_weight`."""


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; without a zone in SQLite, which has none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(timezone.utc)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value and value.astimezone(timezone.utc)
        return value.replace(tzinfo=timezone.utc)


metadata = MetaData()

keywords = Table(
    "keywords",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("text", Text, nullable=False, unique=True),
    Column("rounds", Float, nullable=False, server_default="0"),
    *(Column(name, Float, nullable=False, server_default="0") for name in (*LOG_LIKELIHOOD_COLUMNS, *TREND_COLUMNS)),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("fingerprint", Text),  # of its file's header, size and samples; NULL until one was seen
)

image_settings = Table(
    "image_settings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(32), nullable=False, unique=True),
    Column("settings", Text, nullable=False),
)
"""One row for each distinct set of settings and LoRAs that made images: `ImageSettings.text`, which is too long to be
unique itself in PostgreSQL where there are many LoRAs."""

import_batches = Table(
    "import_batches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)
"""Imports of images that were there before. A batch's generations have the session `values.import_session(name)`."""

adopted_priors = Table(
    "adopted_priors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("weight", Float, nullable=False),
    Column("content", Text, nullable=False),
)
"""What other people's verdicts say, a file each as it was adopted (`exchange.share_format`): it is read as a whole, and
no sum of this database contains any of it."""

generation_logs = Table(
    "generation_logs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("session_id", Text, nullable=False),
    Column("prompt_id", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("evidence", Float, nullable=False),
    Column("clarity", Float, nullable=False),
    Column("family", Text, nullable=False),
    Column("seed", Text),  # ComfyUI's seeds go up to 2**64 - 1, which no integer column holds everywhere
    Column("fallback", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("judged_at", Moment),
    Column("basis", LargeBinary),  # what was known when it was first judged: `PriorSnapshot.packed`
    Column("note", Text, nullable=False, server_default=""),  # the person's own
    Index("generation_logs_session_id", "session_id"),
    Index("generation_logs_prompt_id", "prompt_id"),
)

_is_written = generation_logs.c.note != ""
Index("generation_logs_note", generation_logs.c.number, sqlite_where=_is_written, postgresql_where=_is_written)

generation_keywords = Table(
    "generation_keywords",
    metadata,
    Column("generation_number", ForeignKey("generation_logs.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("keyword_id", ForeignKey("keywords.id"), nullable=False),
    Column("weight", Float, nullable=False),
    Index("generation_keywords_keyword_id", "keyword_id", "generation_number"),
    sqlite_with_rowid=False,
)

generation_images = Table(
    "generation_images",
    metadata,
    Column("generation_number", ForeignKey("generation_logs.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("checkpoint_id", ForeignKey("checkpoints.id"), nullable=False),
    Column("filename", Text, nullable=False),
    Column("subfolder", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("settings_id", ForeignKey("image_settings.id")),  # NULL: not known
    Column("source_id", String(32)),  # of an imported image; NULL: made by a plan
    Column("lora_utility", Float),  # `ImageFile.lora_utility`; NULL: nothing was known
    Index("generation_images_checkpoint", "checkpoint_id", "generation_number"),
    sqlite_with_rowid=False,
)
for _name in ("settings_id", "source_id"):
    _is_known = generation_images.c[_name].is_not(None)
    Index(f"generation_images_{_name}", generation_images.c[_name], sqlite_where=_is_known, postgresql_where=_is_known)

generation_utilities = Table(
    "generation_utilities",
    metadata,
    Column("generation_number", ForeignKey("generation_logs.number"), primary_key=True),
    Column("checkpoint_id", ForeignKey("checkpoints.id"), primary_key=True),
    Column("utility", Float, nullable=False),
    sqlite_with_rowid=False,
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("generation_number", ForeignKey("generation_logs.number"), nullable=False),
    Column("marks", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("verdicts_generation_number", "generation_number", "number"),
)
"""`marks` has a letter per image: `+` selected, `-` rejected, `.` not judged. The newest row counts."""

pair_statistics = Table(
    "pair_statistics",
    metadata,
    Column("keyword_id", ForeignKey("keywords.id"), primary_key=True),
    Column("checkpoint_id", ForeignKey("checkpoints.id"), primary_key=True),
    Column("selected", Float, nullable=False),
    Column("total", Float, nullable=False),
    Column("rounds", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("information", Float, nullable=False),
    Column("narrow", Float, nullable=False),
    Column("middle", Float, nullable=False),
    Column("wide", Float, nullable=False),
    Column("precision", Float, nullable=False),
    Index("pair_statistics_total", "total"),
    Index("pair_statistics_checkpoint", "checkpoint_id", "total"),
    sqlite_with_rowid=False,
)
"""From `score` on the numbers are counted in `GRAIN`s."""

GRAIN = 2.0**-20
"""All sums are multiples of it (`sufficient_statistics.quantised`): whole numbers take few bytes in SQLite."""

learned_state = Table(
    "learned_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("identity", String(32), nullable=False),
    Column("formula", Integer, nullable=False),
)
"""One row: which database this is, and the version of the formula that its statistics were computed with."""

rebuild_state = Table(
    "recomputation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("formula", Integer, nullable=False),
    Column("former", Boolean, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("keyword", Integer, nullable=False),
    Column("worker", String(32), nullable=False),
    Column("seen_at", Moment, nullable=False),
)
"""One row while the statistics are recomputed in the background, else none: how far (`records.RebuildProgress`,
whose `outdated` is `former`), by which process, and when that did its last page."""

pair_statistics_shadow = Table(
    "pair_statistics_anew",
    metadata,
    Column("keyword_id", Integer, primary_key=True, autoincrement=False),
    Column("checkpoint_id", Integer, primary_key=True, autoincrement=False),
    *(Column(column.name, Float, nullable=False) for column in pair_statistics.columns if not column.primary_key),
    sqlite_with_rowid=False,
)

keyword_sums_shadow = Table(
    "keyword_sums_anew",
    metadata,
    Column("keyword_id", Integer, primary_key=True, autoincrement=False),
    *(Column(name, Float, nullable=False) for name in ("rounds", *LOG_LIKELIHOOD_COLUMNS, *TREND_COLUMNS)),
)
"""With `pair_statistics_shadow`: what has been recomputed and has not yet taken the place of the former."""

log_blocks = Table(
    "log_blocks",
    metadata,
    Column("block", Integer, primary_key=True, autoincrement=False),
    *(
        Column(name, Integer, nullable=False)
        for name in (
            "generations",
            "judged",
            "agreed",
            "exploited",
            "images",
            "images_saved",
            "selected",
            "rejected",
            "rejected_all",
        )
    ),
    Column("confidence", Float, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
)
"""Sums over `rollups.BLOCK` neighbouring generations; `rollup_state` says up to where."""

keyword_pairs = Table(
    "keyword_pairs",
    metadata,
    Column("keyword_id", Integer, primary_key=True, autoincrement=False),
    Column("pairs", Integer, nullable=False),
)

checkpoint_images = Table(
    "checkpoint_images",
    metadata,
    Column("checkpoint_id", Integer, primary_key=True, autoincrement=False),
    Column("images", Integer, nullable=False),
)
"""Counted over the generations up to `rollup_state.generation`."""

rollup_state = Table(
    "log_sums",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("verdict", Integer, nullable=False),
    Column("pairs_verdict", Integer, nullable=False),
)
"""One row: the newest generation in `log_blocks`, and the newest verdicts that blocks and pairs include."""
