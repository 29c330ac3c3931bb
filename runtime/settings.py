"""The pack's settings: each defined once, checked on construction, and remembered in a small JSON file.

A field of `Settings` is the one definition of a setting: name, type, default, bounds, unit, label and help. From
`DEFINITIONS` come the environment variables and the JSON file (here), `context-checkpoint settings`
(`cli/`), the HTTP schemas and the OpenAPI description (`api/schemas/settings.py`), and, written by
`python run.py docs --write`, ComfyUI's settings dialog (`web/comfy/setting_definitions.mjs`,
`locales/en/settings.json`) and the table in the documentation.

Separate from `runtime` because a settings file is read and checked without any database. A file that cannot
be read, or that somebody edited into nonsense, never stops ComfyUI: what is wrong is logged, and its default
is used, or what this process read before. Only whether prompts are stored has no default then: no prompt
is kept because of a comma.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..learning.message import message
from ..learning.names import stored_name
from ..learning.policies import DEFAULT_POLICY, POLICIES
from ..learning.profiles import read_values, strictly
from ..learning.values import HALF_LIFE, Thresholds
from ..recipes import settings as drawing
from ..recipes.samplers import sampler_and_scheduler

if TYPE_CHECKING:
    from ..learning.recommendation.pins import Curation

log = logging.getLogger(__name__)

VARIABLE_PREFIX = "CONTEXT_CHECKPOINT_"
MOST_DAYS = 36_500
MOST_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Definition:
    """All there is to know of one setting.

    Attributes
    ----------
    default
        Its type is the setting's: `str` (one of `choices`), `float`, `int`, `bool` or `tuple` (names).
    minimum, maximum
        Of a number, both allowed; of a `tuple`, `maximum` is the largest number of names.
    unit
        What a number counts, or what names are of; empty for a share of 1.
    """

    name: str
    default: Any
    label: str
    help: str
    unit: str = ""
    minimum: float = 0
    maximum: float = 1
    choices: tuple[str, ...] = ()

    @property
    def type(self) -> type:
        return type(self.default)

    @property
    def variable(self) -> str:
        """The environment variable that gives another default."""
        return VARIABLE_PREFIX + self.name.upper()

    def parse(self, text: str) -> Any:
        """Read a value as the command line and the environment spell it.

        Text that spells no value is handed back as it is, for `checked` to refuse it.
        """
        if self.type is tuple:
            return [part.strip() for part in text.split(",") if part.strip()]
        if self.type is bool:
            return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
        try:
            return self.type(text)
        except ValueError:
            return text

    def spell(self, value: Any) -> str:
        """Write a value so that `parse` reads it."""
        if self.type is tuple:
            return ",".join(value)
        return str(value).lower() if self.type is bool else str(value)

    def checked(self, value: Any) -> Any:
        """Give the value as `Settings` holds it.

        Raises
        ------
        ValueError
            If it is not one that this setting may have; the message names the choices.
        """
        if self.type is tuple:
            return self._names(value)
        if self.type is bool:
            if value not in (True, False):
                raise ValueError(f"{self.name} is {value!r}; choose true or false.")
            return bool(value)
        if self.type is str:
            if value not in self.choices:
                raise ValueError(f"{self.name} is {value!r}; choose one of: {', '.join(self.choices)}.")
            return value
        kinds = (int,) if self.type is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not self.minimum <= value <= self.maximum:
            raise ValueError(self._out_of_range(value))
        return value

    def _out_of_range(self, value: Any) -> str:
        if self.type is float:
            return message(
                "share", "{name} is {value}; choose a number from 0 to 1.", name=self.name, value=repr(value)
            )
        return message(
            "whole_number",
            "{name} is {value}; choose a whole number from 0 to {most}.",
            name=self.name,
            value=repr(value),
            most=self.maximum,
        )

    def _names(self, value: Any) -> tuple[str, ...]:
        """Each name once, spelled as the store does: JSON knows lists only, and systems differ in slashes."""
        if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(n, str) for n in value):
            raise ValueError(f"{self.name} is {value!r}; give a list of {self.unit}.")
        if len(value) > self.maximum:
            raise ValueError(
                message(
                    "too_many_names",
                    "{name} has {count} names; it may have {most}.",
                    name=self.name,
                    count=len(value),
                    most=self.maximum,
                )
            )
        return tuple(dict.fromkeys(stored_name(name) for name in value if name.strip()))


def setting(default: Any, label: str, help: str, **details: Any) -> Any:  # noqa: A002 - the word that argparse uses
    """Define a field of `Settings`; `details` are the other attributes of `Definition`."""
    return field(default=default, metadata={"label": label, "help": help, **details})


@dataclass(frozen=True, slots=True)
class Settings:
    """The value of every setting, checked on construction.

    Raises
    ------
    ValueError
        With a message that names the choices.
    """

    policy: str = setting(
        DEFAULT_POLICY,
        "How to learn (default policy)",
        "bayesian weighs words by how informative they are and compares the images shown together. counts is the "
        "plain share of picks per keyword. global ignores the prompt. thompson and ucb learn as bayesian does and "
        "also try others than the best: thompson at random, ucb those that may be just as good. A recommender node "
        "can choose its own policy.",
        choices=POLICIES,
    )
    exploit_threshold: float = setting(
        Thresholds().exploit,
        "Use one checkpoint above this confidence",
        "Above this confidence only the best checkpoint is used.",
    )
    explore_threshold: float = setting(
        Thresholds().explore,
        "Compare two checkpoints above this confidence",
        "Above this confidence two checkpoints are compared, below it three. It must not exceed exploit_threshold.",
    )
    half_life: int = setting(
        int(HALF_LIFE),
        "Half-life of a verdict",
        "After this many further verdicts on a checkpoint, for prompts of the same kind, a verdict counts half: "
        "tastes change. 0 never forgets.",
        unit="verdicts",
        maximum=1_000,
    )
    kept_loaders: int = setting(
        3,
        "Checkpoints kept in memory",
        "How many loaded checkpoints stay in memory for the next run, so that they need not be read again. 0 keeps "
        "none. The command “Release kept loaders” releases them at once.",
        unit="checkpoints",
        maximum=20,
    )
    kept_loaders_memory_share: float = setting(
        0.4,
        "Share of memory kept checkpoints may fill",
        "The oldest kept checkpoint is released where they would fill more than this share of all memory.",
    )
    backups_kept: int = setting(
        7,
        "Daily copies of the database that are kept",
        "A damaged database is restored from the newest copy. 0 makes none.",
        unit="copies",
        maximum=100,
    )
    keep_prompts: bool = setting(
        True,
        "Keep the prompts' texts",
        "Off: of new prompts only the keywords are stored, which is all that learning needs.",
    )
    retention_days: int = setting(
        0,
        "Forget generations after this many days",
        "What was learned from them goes too, and all copies are replaced. 0 keeps them.",
        unit="days",
        maximum=MOST_DAYS,
    )
    share: bool = setting(
        False,
        "Share what I teach",
        "On a ComfyUI with several users: what you taught helps those who are new to begin. Only sums of keywords that "
        "at least three people share are used, never a prompt, an image or a name.",
    )
    pinned: tuple[str, ...] = setting(
        (),
        "Pinned checkpoints",
        "Checkpoints that are shown whatever was learned, where they are in the pool; at most three at once.",
        unit="checkpoints' names",
        maximum=MOST_NAMES,
    )
    banned: tuple[str, ...] = setting(
        (),
        "Banned checkpoints",
        "Checkpoints that are never candidates.",
        unit="checkpoints' names",
        maximum=MOST_NAMES,
    )
    serve_names: tuple[str, ...] = setting(
        (),
        "Names of the standalone server",
        "Other names under which `context-checkpoint serve` may be reached, for example behind a reverse proxy. It "
        "reads them when it starts, and then asks for its token.",
        unit="host names",
        maximum=100,
    )
    profiles: Mapping[str, drawing.Settings] = field(default_factory=dict, hash=False)
    """What a person has set for each checkpoint. No `Definition`: it is a table, and has routes, a command and an
    editor of its own."""

    def __post_init__(self) -> None:
        for definition in DEFINITIONS:
            value = definition.checked(getattr(self, definition.name))
            object.__setattr__(self, definition.name, value)
        object.__setattr__(self, "profiles", _checked_profiles(self.profiles))
        Thresholds(exploit=self.exploit_threshold, explore=self.explore_threshold)
        if both := sorted({*self.pinned} & {*self.banned}):
            raise ValueError(
                message(
                    "pinned_and_banned",
                    "{name} cannot be pinned and banned at once; choose one.",
                    name=both[0],
                )
            )

    @property
    def curation(self) -> Curation:
        from ..learning.recommendation.pins import Curation  # late: it needs numpy, and ComfyUI's start does not

        return Curation(self.pinned, self.banned)

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(exploit=self.exploit_threshold, explore=self.explore_threshold)

    def changed(self, **changes: Any) -> Settings:
        """These settings with some of them changed.

        Raises
        ------
        ValueError
            If a name or a value is not one that settings have.
        """
        known = [each.name for each in fields(Settings)]
        if unknown := sorted(changes.keys() - set(known)):
            raise ValueError(f"There is no setting {unknown[0]!r}; there are: {', '.join(known)}.")
        return replace(self, **changes)

    def with_profile(self, checkpoint: str, values: Mapping[str, object], *, clear: bool = False) -> Settings:
        """These settings with other values for one checkpoint.

        Parameters
        ----------
        values
            By the names of `recipes.settings.Settings`; None takes a value back, and those not named stay.
        clear
            Take back all values that are not named.

        Raises
        ------
        ValueError
            If a name or a value is not one that a profile may have.
        """
        name = stored_name(checkpoint)
        former = {} if clear else self.profiles.get(name, drawing.Settings()).known()
        sampler = values.get("sampler")
        if isinstance(sampler, str) and sampler_and_scheduler(sampler)[1]:
            former.pop("scheduler", None)  # "DPM++ 2M Karras" says it too
        profile = strictly({**former, **values})
        others = {other: settings for other, settings in self.profiles.items() if other != name}
        return replace(self, profiles={**others, name: profile} if profile.known() else others)

    def chosen(self, checkpoint: str) -> bool:
        """Whether a person chose anything for a checkpoint."""
        name = stored_name(checkpoint)
        return name in self.profiles or name in self.pinned or name in self.banned

    def moved(self, former: str, name: str) -> Settings:
        """These settings after a checkpoint's file was renamed: what a person chose for it stays with it."""
        former, name = stored_name(former), stored_name(name)
        profiles = dict(self.profiles)
        if former in profiles:
            profiles.setdefault(name, profiles[former])
            del profiles[former]
        chosen = {*self.pinned, *self.banned}

        def follow(names: tuple[str, ...]) -> tuple[str, ...]:
            renamed = [name if one == former and name not in chosen else one for one in names]
            return tuple(one for one in renamed if one != former)

        return replace(self, profiles=profiles, pinned=follow(self.pinned), banned=follow(self.banned))


def _checked_profiles(profiles: object) -> dict[str, drawing.Settings]:
    """Raises `ValueError`."""
    if not isinstance(profiles, Mapping) or len(profiles) > MOST_NAMES:
        raise ValueError(f"profiles must be a table of at most {MOST_NAMES:,} checkpoints and their values.")
    checked: dict[str, drawing.Settings] = {}
    for name, values in profiles.items():
        if isinstance(values, drawing.Settings):
            values = values.known()
        if not isinstance(name, str) or not isinstance(values, Mapping):
            raise ValueError(f"profiles: {str(name)[:100]!r} must have a table of values.")
        profile = strictly(values)
        if profile.known():
            checked[stored_name(name)] = profile
    return checked


DEFINITIONS: tuple[Definition, ...] = tuple(
    Definition(name=known.name, default=known.default, **known.metadata) for known in fields(Settings) if known.metadata
)
"""In the order in which people are shown them."""


def default_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """What holds where no file says otherwise: each setting's default, or its environment variable."""
    values = {
        definition.name: definition.parse(environment[definition.variable])
        for definition in DEFINITIONS
        if definition.variable in environment
    }
    return _as_far_as_valid(Settings(), values, "The environment")


class SettingsFile:
    """Settings in a JSON file, which other processes may change while this one runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state_read: tuple[int, int] | None = None
        self._defaults = default_settings()
        self._settings = self._defaults
        self._readable = True

    def read(self) -> Settings:
        """The settings as the file has them now; it is opened only when it has changed."""
        state = self._state()
        if state != self._state_read:
            settings = self._load() if state else self._defaults
            self._readable = settings is not None
            if settings is not None:
                self._settings = settings
            elif self._state_read is None:  # nothing was read before
                self._settings = replace(self._defaults, keep_prompts=False)
            self._state_read = state
        return self._settings

    def write(self, settings: Settings) -> None:
        """Replace the file in one step, so that no reader finds half of it.

        A file that could not be read is kept as `<name>.unreadable`.

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            draft.write_text(json.dumps(_as_json(settings), indent=2) + "\n", encoding="utf-8")
            if not self._readable:
                self._path.replace(self._path.with_name(f"{self._path.name}.unreadable"))
            draft.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
        self._state_read, self._settings, self._readable = self._state(), settings, True

    def _state(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino

    def _load(self) -> Settings | None:
        until = "Until it is mended no prompt is stored, unless it was read before, and defaults are used"
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s cannot be read (%s). %s.", self._path, error, until)
            return None
        if not isinstance(values, Mapping):
            log.warning("%s holds no settings. %s.", self._path, until)
            return None
        return _as_far_as_valid(self._defaults, values, str(self._path))


def _as_json(settings: Settings) -> dict[str, Any]:
    values: dict[str, Any] = {each.name: getattr(settings, each.name) for each in DEFINITIONS}
    values["profiles"] = {name: profile.known() for name, profile in settings.profiles.items()}
    return values


def _readable_profiles(profiles: object, source: str) -> object:
    """Without the single values that make no sense: the others of a checkpoint, and of all checkpoints, hold."""
    if not isinstance(profiles, Mapping):
        return profiles
    read: dict[str, drawing.Settings] = {}
    for name, values in profiles.items():
        read[str(name)], problems = read_values(values if isinstance(values, Mapping) else {})
        for problem in problems:
            log.warning("%s: profiles, %s: %s It is not used.", source, str(name)[:100], problem)
    return read


def _as_far_as_valid(defaults: Settings, values: Mapping[str, Any], source: str) -> Settings:
    if "profiles" in values:
        values = {**values, "profiles": _readable_profiles(values["profiles"], source)}
    try:
        return defaults.changed(**values)
    except ValueError:
        # Whoever names `keep_prompts` means something by it: a value that makes no sense is never taken for yes.
        settings = replace(defaults, keep_prompts=False) if "keep_prompts" in values else defaults
    for name, value in values.items():
        try:
            settings = settings.changed(**{name: value})
        except ValueError as error:
            log.warning("%s: %s Its default is used.", source, error)
    return settings
