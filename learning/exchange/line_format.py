"""The form of an exported log: versioned JSON Lines.

The first line says what the file is, each further line is one generation with its newest verdict. It refuses
statistics: they are recomputed from the verdicts, so that no file can claim sums that nothing supports. Pure, and
separate from `transfer`, which reads and writes the database, because this form outlives any schema of tables: it
changes only with `VERSION`. docs/data.md describes it for people who write such files.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import IO, Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import models_json_schema

from ..errors import InvalidRequest
from ..message import checked, joined, message
from ..model.snapshot import PriorSnapshot, is_former, unpacked
from ..names import stored_name, stored_text
from ..prompts.written_negative import is_note
from ..values import ImageFile, ImageSettings, Stage, Strategy

VERSION = 1
LONGEST_LINE = 16 * 2**20
"""Bytes. The longest prompt that a route takes and ten thousand images with long names fit."""

LineT = TypeVar("LineT", bound="_Line")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("lies outside of the calendar") from None


Text = Annotated[str, AfterValidator(stored_text)]
Name = Annotated[str, Field(min_length=1), AfterValidator(stored_name)]
When = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Utility = Annotated[float, Field(ge=-1e6, le=1e6)]
Weight = Annotated[float, Field(ge=0.0, le=1e3)]


def _checked_snapshot(text: str) -> str:
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        data = b""
    if unpacked(data) is None and not is_former(data):
        raise ValueError("is not a basis that this version knows; leave it out")
    return text


PackedSnapshot = Annotated[str, Field(max_length=1_000_000), AfterValidator(_checked_snapshot)]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    def line(self) -> str:
        """The line that says this, with its line break."""
        return self.model_dump_json(exclude_defaults=True) + "\n"


class Header(_Line):
    """The first line. `generations` tells a whole file from one that was cut off."""

    format: Literal["context-checkpoint"]
    version: int
    database: Annotated[str, Field(max_length=100)]
    generations: Annotated[int, Field(ge=0)]
    anonymous: bool = False


class PortableKeyword(_Line):
    text: Annotated[str, Field(min_length=1), AfterValidator(stored_text)]
    weight: Weight = 1.0


class PortableSettings(_Line):
    """What made an image besides its checkpoint, prompt and seed.

    A LoRA is its name, its strength on the model and its strength on the text encoder.
    """

    steps: int | None = None
    cfg: float | None = None
    sampler: Text | None = None
    scheduler: Text | None = None
    width: int | None = None
    height: int | None = None
    clip_skip: int | None = None
    denoise: float | None = None
    loras: Annotated[tuple[tuple[Text, float, float], ...], Field(max_length=1_000)] | None = None


class PortableImage(_Line):
    checkpoint: Name
    filename: Text = ""
    subfolder: Text = ""
    type: Text = ""
    settings: PortableSettings | None = None
    source_id: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")] = ""
    lora_utility: Utility | None = None

    @property
    def file(self) -> ImageFile:
        settings = None if self.settings is None else ImageSettings(**self.settings.model_dump())
        return ImageFile(
            self.checkpoint, self.filename, self.subfolder, self.type, settings, self.source_id, self.lora_utility
        )


class PortableVerdict(_Line):
    """The newest verdict; marks that are all `.` withdrew the one before."""

    marks: Annotated[str, Field(pattern=r"^[-+.]+$")]
    at: When


class PortableGeneration(_Line):
    """One generation, with all that is learned from its verdict."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    created_at: When
    stage: Stage
    policy: Text
    strategy: Strategy
    confidence: Share
    evidence: Share
    clarity: Share
    keywords: Annotated[tuple[PortableKeyword, ...], Field(max_length=1_000)] = ()
    images: Annotated[tuple[PortableImage, ...], Field(min_length=1, max_length=10_000)]
    utilities: dict[Name, Utility] = {}
    basis: PackedSnapshot | None = None
    verdict: PortableVerdict | None = None
    prompt: Text = ""
    session_id: Text = ""
    prompt_id: Text = ""
    family: Text = ""
    seed: Annotated[str, Field(pattern=r"^\d{1,40}$")] | None = None
    fallback: bool = False
    imported_at: When | None = None
    note: Text = ""

    @model_validator(mode="after")
    def _marks_fit(self) -> PortableGeneration:
        if self.verdict and len(self.verdict.marks) != len(self.images):
            raise ValueError(f"{len(self.verdict.marks)} marks for {len(self.images)} images")
        return self

    @property
    def known(self) -> PriorSnapshot | None:
        """What was known when it was first judged; the key `basis`."""
        return None if self.basis is None else unpacked(b64decode(self.basis))

    @property
    def files(self) -> list[ImageFile]:
        """The images, in order."""
        return [image.file for image in self.images]

    @property
    def shows_files(self) -> bool:
        """Whether any image has a name."""
        return any(image.filename for image in self.images)

    def judged(self, marks: str, at: datetime) -> PortableGeneration:
        """The same with a verdict, later than the one that it replaces."""
        if self.verdict is not None and self.verdict.at >= at:  # the clock was set back in between
            at = self.verdict.at + timedelta(microseconds=1)
        return self.model_copy(update={"verdict": PortableVerdict(marks=marks, at=at)})

    def with_files(self, files: Sequence[ImageFile]) -> PortableGeneration:
        """The same with the names of its first images, in order."""
        images = [*self.images]
        for place, file in enumerate(files):
            names = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
            images[place] = images[place].model_copy(update=names)
        return self.model_copy(update={"images": tuple(images)})

    def anonymous(self) -> PortableGeneration:
        """The same generation, to learn the same from, without its texts, images' names and ids, session and seed.

        Keywords stay, since they are what is learned about, in the order of the alphabet: in the prompt's
        order they would nearly spell it.
        """
        notes = [word for word in self.keywords if is_note(word.text)]
        words = [word for word in self.keywords if not is_note(word.text)]
        places = sorted(range(len(words)), key=lambda place: words[place].text)
        known = self.known
        if known is not None and known.fits(len(words), len(known.means)):
            known = known.reordered(places)
        return self.model_copy(
            update={
                "basis": packed(known),
                "prompt": "",
                "session_id": "",
                "prompt_id": "",
                "seed": None,
                "imported_at": None,
                "note": "",
                "keywords": (*(words[place] for place in places), *notes),
                "images": tuple(
                    PortableImage(checkpoint=image.checkpoint, settings=image.settings, lora_utility=image.lora_utility)
                    for image in self.images
                ),
            }
        )

    def renamed(self, names: Mapping[str, str]) -> PortableGeneration:
        """The same with other names of checkpoints; both sides are spelled as the store spells them."""
        utilities: dict[str, float] = {}
        for name, utility in self.utilities.items():
            utilities.setdefault(names.get(name, name), utility)
        images = tuple(
            image.model_copy(update={"checkpoint": names.get(image.checkpoint, image.checkpoint)})
            for image in self.images
        )
        return self.model_copy(update={"images": images, "utilities": utilities})


def portable_images(files: Iterable[ImageFile]) -> tuple[PortableImage, ...]:
    """Images as lines hold them."""
    return tuple(
        PortableImage(
            checkpoint=file.checkpoint,
            filename=file.filename,
            subfolder=file.subfolder,
            type=file.type,
            settings=None if file.settings is None else PortableSettings(**asdict(file.settings)),
            source_id=file.source_id,
            lora_utility=file.lora_utility,
        )
        for file in files
    )


def packed(snapshot: PriorSnapshot | None) -> str | None:
    """A snapshot as lines hold it."""
    return None if snapshot is None else b64encode(snapshot.packed()).decode("ascii")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a line, for programs that write such files; docs/export.schema.json is this.

    Two checks cannot be said in a schema: that there is a mark per image, and that `basis` can be read.
    """
    kinds = (Header, PortableGeneration)
    references, definitions = models_json_schema([(kind, "validation") for kind in kinds])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of what Context Checkpoint exports",
        "description": "The first line is a Header, each further one a PortableGeneration: docs/data.md.",
        "oneOf": [references[kind, "validation"] for kind in kinds],
        **definitions,
    }


def read_header(line: bytes) -> Header:
    """Read a file's first line.

    Raises
    ------
    InvalidRequest
        If it is not this format, or a version that this code does not know.
    """
    header = _read(line, 1, Header)
    if header.version != VERSION:
        raise bad_line(
            1,
            message(
                "other_version",
                "this is version {version} of the format, and only {known} is known here. Update Context Checkpoint",
                version=header.version,
                known=VERSION,
            ),
        )
    return header


def read_generation(line: bytes, number: int) -> PortableGeneration:
    """Read any other line; `number` is its own, from 1, for the message.

    Raises
    ------
    InvalidRequest
        If it does not describe a generation.
    """
    return _read(line, number, PortableGeneration)


def lines_in(file: IO[bytes]) -> Iterator[bytes]:
    """Read a file's lines; of one that is too long only as much as shows that, whatever its length."""
    return iter(partial(file.readline, LONGEST_LINE + 1), b"")


def bad_line(number: int, problem: str) -> InvalidRequest:
    """The error for one line of a file; `number` counts from 1."""
    return InvalidRequest(
        message(
            "bad_line",
            "Line {line}: {problem}. Nothing of the file was imported; mend it or export it again.",
            line=number,
            problem=problem,
        ),
        "bad_line",
    )


def _read(line: bytes, number: int, kind: type[LineT]) -> LineT:
    if len(line) > LONGEST_LINE:
        too_long = message("long_line", "it is longer than {bytes} bytes", bytes=f"{LONGEST_LINE:,}")
        raise bad_line(number, too_long)
    try:
        return kind.model_validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise bad_line(number, joined([field, checked(first)], by=": ")) from None
