"""The pack's settings: what they are, what they may be, and the small JSON file that remembers them.

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
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..learning.message import message
from ..learning.names import stored_name
from ..learning.values import Thresholds

if TYPE_CHECKING:
    from ..learning.recommendation.pins import Curation

log = logging.getLogger(__name__)

MOST_HALF_LIFE = 1_000
MOST_KEPT_LOADERS = 20
MOST_BACKUPS = 100
MOST_DAYS = 36_500
MOST_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked on construction.

    Attributes
    ----------
    policy
        Which policy recommends where a node or a request names none.
    exploit_threshold, explore_threshold
        Confidence above which one checkpoint is shown, and above which two are (else three).
    half_life
        After how many further verdicts on a checkpoint, for prompts of the same kind, a verdict counts half;
        0: it never fades.
    kept_loaders
        How many loaded checkpoints stay in memory for the next run.
    kept_loaders_memory_share
        The share of all memory, 0..1, that they may fill.
    backups_kept
        How many daily copies of the database file are kept; 0 makes none.
    keep_prompts
        Whether prompts' texts are stored; if not, only their keywords are.
    retention_days
        After how many days a generation and what it taught are forgotten; 0 never.
    pinned, banned
        Checkpoints that are shown, and that are never candidates, whatever was learned.

    Raises
    ------
    ValueError
        With a message that names the choices.
    """

    policy: str = field(default_factory=lambda: _policies().DEFAULT_POLICY)
    exploit_threshold: float = 0.5
    explore_threshold: float = 0.3
    half_life: int = 6
    kept_loaders: int = 3
    kept_loaders_memory_share: float = 0.4
    backups_kept: int = 7
    keep_prompts: bool = True
    retention_days: int = 0
    pinned: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        choices = _policies().POLICIES
        if self.policy not in choices:
            raise ValueError(f"policy is {self.policy!r}; choose one of: {', '.join(choices)}.")
        for name in ("exploit_threshold", "explore_threshold", "kept_loaders_memory_share"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0.0 <= number <= 1.0:
                raise ValueError(
                    message(
                        "share",
                        "{name} is {value}; choose a number from 0 to 1.",
                        name=name,
                        value=repr(number),
                    )
                )
        Thresholds(exploit=self.exploit_threshold, explore=self.explore_threshold)
        if self.keep_prompts not in (True, False):
            raise ValueError(f"keep_prompts is {self.keep_prompts!r}; choose true or false.")
        object.__setattr__(self, "keep_prompts", bool(self.keep_prompts))
        for name, most in (
            ("half_life", MOST_HALF_LIFE),
            ("kept_loaders", MOST_KEPT_LOADERS),
            ("backups_kept", MOST_BACKUPS),
            ("retention_days", MOST_DAYS),
        ):
            kept = getattr(self, name)
            if isinstance(kept, bool) or not isinstance(kept, int) or not 0 <= kept <= most:
                raise ValueError(
                    message(
                        "whole_number",
                        "{name} is {value}; choose a whole number from 0 to {most}.",
                        name=name,
                        value=repr(kept),
                        most=most,
                    )
                )
        for name in ("pinned", "banned"):
            object.__setattr__(self, name, _names(name, getattr(self, name)))
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
        from ..learning.recommendation.pins import Curation  # late, as policies are

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
        unknown = sorted(changes.keys() - {known.name for known in fields(self)})
        if unknown:
            choices = ", ".join(known.name for known in fields(self))
            raise ValueError(f"There is no setting {unknown[0]!r}; there are: {choices}.")
        return replace(self, **changes)


def _names(setting: str, value: Any) -> tuple[str, ...]:
    """Each name once, spelled as the store does: JSON knows lists only, and systems differ in slashes."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(n, str) for n in value):
        raise ValueError(f"{setting} is {value!r}; give a list of checkpoints' names.")
    if len(value) > MOST_NAMES:
        raise ValueError(
            message(
                "too_many_names",
                "{name} has {count} names; it may have {most}.",
                name=setting,
                count=len(value),
                most=MOST_NAMES,
            )
        )
    return tuple(dict.fromkeys(stored_name(name) for name in value if name.strip()))


def _policies() -> ModuleType:
    # Imported on use: policies need numpy, which a start of ComfyUI should not pay for here.
    from ..learning import policies

    return policies


class SettingsFile:
    """Settings in a JSON file that the command line may change beside a running ComfyUI."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._settings = Settings()
        self._is_good = True

    def read(self) -> Settings:
        """The settings as the file has them now; it is opened only when it has changed."""
        state = self._state()
        if state != self._seen:
            held = self._load() if state else Settings()
            self._is_good = held is not None
            if held is not None:
                self._settings = held
            elif self._seen is None:  # nothing was read before
                self._settings = Settings(keep_prompts=False)
            self._seen = state
        return self._settings

    def write(self, settings: Settings) -> None:
        """Replace the file in one step, so that no reader finds half of it; one that could not be read is
        kept beside it.

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            draft.write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
            if not self._is_good:
                self._path.replace(self._path.with_name(f"{self._path.name}.unreadable"))
            draft.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
        self._seen, self._settings, self._is_good = self._state(), settings, True

    def _state(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _load(self) -> Settings | None:
        until = "Until it is mended no prompt is stored, unless it was read before, and defaults are used"
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s cannot be read (%s). %s.", self._path, error, until)
            return None
        if not isinstance(held, Mapping):
            log.warning("%s holds no settings. %s.", self._path, until)
            return None
        return _as_far_as_valid(held, self._path)


def _as_far_as_valid(held: Mapping[str, Any], path: Path) -> Settings:
    try:
        return Settings().changed(**held)
    except ValueError:
        settings = Settings(keep_prompts="keep_prompts" not in held)
    for name, value in held.items():
        try:
            settings = settings.changed(**{name: value})
        except ValueError as error:
            log.warning("%s: %s Its default is used.", path, error)
    return settings
