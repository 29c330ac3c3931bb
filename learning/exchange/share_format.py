"""The form of a shared file: what somebody's verdicts say of public words and checkpoints, as one JSON object.

Pure, and separate from `private_sums`, which makes the numbers, because this form outlives the mechanism: it changes
only with `VERSION`. A file comes from a stranger, so every size in it has a bound, and it says nothing but numbers,
words and names of checkpoints. docs/sharing.md describes it for people who write such files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import InvalidRequest
from ..message import checked, joined, message
from ..model.shared_prior import Identities, Pair, Source, Sums, file_name
from ..names import stored_name, stored_text
from .private_sums import GRAIN, MOST_EPSILON

VERSION = 1
LARGEST = 16 * 2**20
"""Bytes: more than two thousand words with four hundred checkpoints."""
MOST_WORDS = 2_000
_MOST_CHECKPOINTS = 1_000
_MOST_GRAINS = 2**40

Word = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(stored_text)]
Grains = Annotated[int, Field(ge=-_MOST_GRAINS, le=_MOST_GRAINS)]

Row = Annotated[tuple[Grains, ...], Field(max_length=2 * _MOST_CHECKPOINTS)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


class SharedCheckpoint(_Model):
    """A checkpoint that the numbers are about: its file's name without folders, and its fingerprint ("": unknown)."""

    name: Annotated[str, Field(min_length=1, max_length=1_024), AfterValidator(stored_name)]
    fingerprint: Annotated[str, Field(max_length=128, pattern=r"^[0-9A-Za-z]*$")] = ""


class SharedFile(_Model):
    """What one person, or several together, say of words and checkpoints.

    `words` has two whole numbers for each checkpoint, in their order: score and information, in units of 2^-10.
    `noise` is the standard deviation of the noise in each of them, in the same unit. `epsilon` is the promise that the
    noise keeps (docs/sharing.md); null: there is none.
    """

    format: Literal["context-checkpoint-share"]
    version: int
    epsilon: Annotated[float, Field(gt=0.0, le=float(MOST_EPSILON))] | None = None
    noise: Annotated[float, Field(ge=0.0, le=_MOST_GRAINS)] = 0.0
    checkpoints: Annotated[tuple[SharedCheckpoint, ...], Field(max_length=_MOST_CHECKPOINTS)]
    words: Annotated[dict[Word, Row], Field(max_length=MOST_WORDS)]

    @model_validator(mode="after")
    def _numbers_fit(self) -> SharedFile:
        for word, numbers in self.words.items():
            if len(numbers) != 2 * len(self.checkpoints):
                count = len(self.checkpoints)
                raise ValueError(f"{word!r} has {len(numbers)} numbers; {count} checkpoints need two each")
        return self

    def text(self) -> str:
        """The file's content."""
        return self.model_dump_json(exclude_defaults=True) + "\n"

    def source(self, name: str, weight: float) -> Source:
        """What it says, as a source of a prior."""
        return Source(name, dict(self._pairs()), noise=self.noise * GRAIN, weight=weight)

    def _pairs(self) -> Iterator[tuple[Pair, Sums]]:
        identities = [Identities.identity(each.name, each.fingerprint) for each in self.checkpoints]
        for word, numbers in self.words.items():
            for identity, score, information in zip(identities, numbers[::2], numbers[1::2], strict=True):
                if score or information:
                    yield (word, identity), (score * GRAIN, information * GRAIN)


def shared_checkpoints(names: Sequence[tuple[str, str]]) -> tuple[SharedCheckpoint, ...]:
    """Checkpoints with their fingerprints, as a file has them: folders may have the names of people."""
    return tuple(SharedCheckpoint(name=file_name(name), fingerprint=fingerprint) for name, fingerprint in names)


def of_sums(sums: Mapping[Pair, Sums], checkpoints: Sequence[SharedCheckpoint]) -> SharedFile:
    """Sums without noise, of the words of which most is known."""
    places = {Identities.identity(each.name, each.fingerprint): place for place, each in enumerate(checkpoints)}
    words: dict[str, list[int]] = {}
    for (word, identity), (score, information) in sums.items():
        if identity in places:
            row = words.setdefault(word, [0] * (2 * len(checkpoints)))
            row[2 * places[identity]] += round(score / GRAIN)
            row[2 * places[identity] + 1] += round(information / GRAIN)
    best = sorted(words, key=lambda word: (-sum(words[word][1::2]), word))[:MOST_WORDS]
    return SharedFile(
        format="context-checkpoint-share",
        version=VERSION,
        checkpoints=tuple(checkpoints),
        words={word: tuple(words[word]) for word in sorted(best)},
    )


def read_shared(content: bytes | str) -> SharedFile:
    """Read a file.

    Raises
    ------
    InvalidRequest
        If it is not this format, a version that this code does not know, or too large.
    """
    if len(content) > LARGEST:
        raise _bad(message("long_share", "it is larger than {bytes} bytes", bytes=f"{LARGEST:,}"))
    try:
        file = SharedFile.model_validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part)[:100] for part in first["loc"])
        raise _bad(joined([field, checked(first)], by=": ")) from None
    if file.version != VERSION:
        raise _bad(
            message(
                "other_version",
                "this is version {version} of the format, and only {known} is known here. Update Context Checkpoint",
                version=file.version,
                known=VERSION,
            )
        )
    return file


def _bad(problem: str) -> InvalidRequest:
    return InvalidRequest(
        message(
            "bad_share",
            "This is no file that `context-checkpoint share` wrote: {problem}. Nothing was adopted.",
            problem=problem,
        ),
        "bad_share",
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a file; docs/share.schema.json is this."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **SharedFile.model_json_schema()}
