"""The settings of each checkpoint: what the person set, what was learned, its sidecars, its name and its header.

Separate from `inventory`, which finds the checkpoints, and from `sidecars` and `name_rules`, which read. This module
decides which source counts first and what of it a branch of a plan takes, and keeps what was read of files as long as
none of them changes. A file that cannot be read is no failure: it is said among the problems.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..learning.message import error_text, message
from ..learning.names import shown_name
from ..learning.profiles import (
    Known,
    Profile,
    from_header,
    from_kept_images,
    from_name,
    from_node,
    profile_of,
    set_by_person,
)
from ..learning.values import Branch
from ..recipes.settings import NAMES, SAMPLING, SIZE, Settings
from .inventory import CheckpointFiles, unreadable
from .name_rules import settings_of_header, settings_of_name
from .sidecars import UnreadableSidecarError, read_sidecar, sidecars_in, sidecars_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FromFiles:
    """What the files say, the first source first, and what of it could not be used."""

    known: tuple[Known, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SamplerNames:
    """The samplers and schedulers of the ComfyUI that runs, other packs' too."""

    samplers: Collection[str]
    schedulers: Collection[str]


def complete_profile(
    files: FromFiles,
    *,
    by_person: Settings | None = None,
    learned: Settings | None = None,
    names: SamplerNames | None = None,
) -> Profile:
    """Put together all that is known of a checkpoint's settings.

    Parameters
    ----------
    files
        What its sidecars, name and header say.
    by_person
        What the person set for it; it counts first.
    learned
        What the images that the person kept were drawn with; it counts next.
    names
        Where another sampler or scheduler is named, the next source counts, and the problem is said.
    """
    known = [
        Known(set_by_person(), by_person or Settings()),
        Known(from_kept_images(), learned or Settings()),
        *files.known,
    ]
    problems = list(files.problems)
    if names is not None:
        known = [replace(each, settings=_usable(each, names, problems)) for each in known]
    return profile_of(known, problems)


def _usable(known: Known, names: SamplerNames, problems: list[str]) -> Settings:
    settings = known.settings
    if settings.sampler is not None and settings.sampler not in names.samplers:
        problems.append(
            message(
                "profile_no_sampler",
                "This ComfyUI has no sampler {name} ({source}).",
                name=settings.sampler,
                source=known.source,
            )
        )
        settings = replace(settings, sampler=None)
    if settings.scheduler is not None and settings.scheduler not in names.schedulers:
        problems.append(
            message(
                "profile_no_scheduler",
                "This ComfyUI has no scheduler {name} ({source}).",
                name=settings.scheduler,
                source=known.source,
            )
        )
        settings = replace(settings, scheduler=None)
    return settings


ALL_BUT_SIZE = "all, the size only where you set it"
ALL = "all, the size too"
SAMPLING_ALONE = "steps, cfg, sampler, scheduler"
MAY_CHANGE = (ALL_BUT_SIZE, ALL, SAMPLING_ALONE)
"""Which settings of a branch may be its checkpoint's own. A size belongs to what is drawn rather than to a checkpoint,
so that of somebody's sample images counts only where it is asked for."""


def with_profile(
    branch: Branch,
    profile: Profile,
    by_person: Settings,
    may_change: str = ALL_BUT_SIZE,
    otherwise: Settings | None = None,
) -> Branch:
    """Return a branch with its checkpoint's settings.

    Parameters
    ----------
    by_person
        Those that the person set for the checkpoint.
    may_change
        One of `MAY_CHANGE`.
    otherwise
        What is used where nothing is known; without it such a setting stays open. What may not change stays open too.
    """
    allowed = allowed_names(may_change, by_person)
    settings = profile.settings.only(allowed)
    sources = {name: profile.sources[name] for name in settings.known()}
    if otherwise is not None:
        settings = settings.filled(otherwise.only(allowed))
        sources |= {name: from_node() for name in settings.known() if name not in sources}
    return replace(branch, settings=settings, sources=sources, problems=profile.problems)


def allowed_names(may_change: str, by_person: Settings) -> tuple[str, ...]:
    """The names of the settings that may be a checkpoint's own, by one of `MAY_CHANGE`."""
    if may_change == SAMPLING_ALONE:
        return SAMPLING
    if may_change == ALL:
        return NAMES
    return tuple(name for name in NAMES if name not in SIZE or getattr(by_person, name) is not None)


class FileProfiles:
    """What the files of one inventory say of their checkpoints' settings. Safe in any thread."""

    def __init__(self, files: CheckpointFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._read: dict[str, tuple[object, FromFiles]] = {}

    def of(self, name: str) -> FromFiles:
        """Read a checkpoint's sidecars, header and name; of one that is not there, the name alone."""
        if name not in self._files.names():  # a client may send any text; no file outside the folders is opened
            return of_name(name)
        path, file = self._files.path(name), self._files.find(name)
        if path is None or file is None:
            return of_name(name)
        state = (str(path), file.fingerprint, file.family, sidecars_of(path))
        with self._lock:
            former = self._read.get(name)
        if former is not None and former[0] == state:
            return former[1]
        result = _of_file(name, path, file.family, file.said)
        with self._lock:
            self._read[name] = (state, result)
        return result

    def state(self) -> object:
        """A value that changes with any sidecar of any checkpoint, for caches."""
        paths = (self._files.path(name) for name in self._files.names())
        folders = sorted({path.parent for path in paths if path is not None})
        return tuple((str(folder), sidecars_in(folder)) for folder in folders)


def of_name(name: str) -> FromFiles:
    """What a checkpoint's name says, where there is no file."""
    return FromFiles((Known(from_name(), settings_of_name(name)),))


def _of_file(name: str, path: Path, family: str, said: Mapping[str, str]) -> FromFiles:
    known: list[Known] = []
    problems: list[str] = []
    for sidecar, _, _ in sidecars_of(path):
        try:
            found, wrong = read_sidecar(path.with_name(sidecar), family)
        except (UnreadableSidecarError, OSError) as error:
            reason = unreadable(error) if isinstance(error, OSError) else error_text(error)
            problem = message("sidecar_problem", "{file}: {problem}", file=sidecar, problem=reason)
            log.info("The settings of %s: %s", shown_name(name), problem)
            problems.append(problem)
            continue
        known.append(found)
        problems += wrong
    known.append(Known(from_name(), settings_of_name(name, family)))
    known.append(Known(from_header(), settings_of_header(said, family, name)))
    return FromFiles(tuple(known), tuple(problems))
