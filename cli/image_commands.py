"""The commands on a person's image files: `import-images`, and `feedback` with files.

Separate from `commands` because they know folders: where ComfyUI keeps its images and its checkpoints.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..api.schemas.images import (
    FileVerdictsResponse,
    ImportBatchResponse,
    ImportsResponse,
    ImportUndoneResponse,
    SurveyResponse,
    UnreadResponse,
    result_response,
    verdicts_response,
)
from ..checkpoints.patterns import printable
from ..images.folder import ImagePath
from ..images.galleries import find_galleries
from ..images.hashes import ComputedHashes
from ..images.image_import import HASHES_FILE, batch_of_folder
from ..images.image_import import import_images as run_import
from ..images.models import ModelFile, Models
from ..images.progress import Progress
from ..images.ratings import Ratings
from ..images.sources import ImageSources
from ..images.survey import Folder, read_images
from ..images.verdicts import Rules, VerdictsOfFiles, take_verdicts
from ..learning.names import shown_name
from ..runtime.data_directory import find_comfyui
from ..runtime.process import configure, current
from ..runtime.runtime import Runtime
from .folder import files_in
from .outcome import CommandFailed, Outcome, WrongUse

_SHOWN, _MOST_VERDICTS = 10, 50
_MODEL_FOLDERS = ("models/checkpoints", "models/diffusion_models", "models/unet")
_UNITS: Mapping[str, tuple[str, int]] = {"hashing": ("MB", 2**20)}
_SOURCES = {"stars": "stars", "folder": "the folder's name", "deleted": "being deleted"}


def import_images(arguments: argparse.Namespace) -> Outcome:
    runtime = _runtime(arguments)
    if arguments.list or arguments.undo is not None:
        if arguments.folder is not None or (arguments.list and arguments.undo is not None):
            raise WrongUse("Give a FOLDER to import, or --list, or --undo NAME.")
        return _listed(runtime) if arguments.list else _undone(runtime, arguments.undo)
    if arguments.folder is None:
        raise WrongUse("Name the folder of images, for example ComfyUI's output folder.")
    folder = _folder(Path(arguments.folder), arguments.ratings)
    computed = ComputedHashes(runtime.data_directory / HASHES_FILE)
    folder.hashes = computed if arguments.hash else None
    models = Models(_model_files(arguments.checkpoints, runtime), computed.known)
    if not models.files:
        raise CommandFailed(
            "No checkpoints are known, so no image could be matched. Name their folder: --checkpoints DIR."
        )
    batch = arguments.batch or batch_of_folder(folder.path)
    with _Line() as line:
        done = run_import(folder, models, batch, runtime, line.show, dry_run=arguments.dry_run)
    response = result_response(done)
    lines = _survey_lines(response.survey)
    if response.verdicts:
        would = "would be" if arguments.dry_run else "were"
        lines.append(f"{response.verdicts:,} verdicts on images of the log {would} taken from their files.")
    if response.learned is None:
        lines.append(f"Nothing was changed: an import adds {response.survey.new:,} images.")
    else:
        counts = f"{response.learned.added:,} images learned, {response.learned.rated:,} of them rated"
        lines.append(f"{counts}. To take it back: context-checkpoint import-images --undo {_quoted(batch)}")
        lines += [
            f"{number:,} {why}."
            for number, why in (
                (response.learned.vanished, "were gone when they were read again"),
                (response.learned.too_old, "are older than the setting retention_days keeps"),
            )
            if number
        ]
    return Outcome(response.model_dump(mode="json"), "\n".join(lines))


def feedback_of_files(arguments: argparse.Namespace) -> Outcome:
    """Verdicts from image files: `feedback FILE ... [--select | --reject]`."""
    if arguments.selected or arguments.rejected or arguments.selected_images or arguments.rejected_images:
        raise WrongUse("Counts and positions are for a generation's id. Of files say --select or --reject.")
    if arguments.withdraw:
        raise WrongUse("--withdraw takes a generation's id.")
    paths = [Path(subject) for subject in arguments.subject]
    for path in paths:
        if not path.exists():
            raise WrongUse(f"{shown_name(str(path))} is no generation's id, and there is no such file or folder.")
    folders = [path for path in paths if path.is_dir()]
    if arguments.deleted_are_rejected and len(folders) < len(paths):
        raise WrongUse("--deleted-are-rejected is for folders: of one file it is not known what is gone.")
    runtime = _runtime(arguments)
    rules = Rules(
        verdict="selected" if arguments.select else "rejected" if arguments.reject else None,
        deleted_are_rejected=arguments.deleted_are_rejected,
        replace=arguments.replace,
        record=not arguments.dry_run,
    )
    taken = []
    with _Line() as line:
        for place, names in _grouped(paths):
            folder = _folder(place, arguments.ratings)
            images = read_images(folder, line.show, names or None, with_recipe=False)
            taken.append(take_verdicts(folder, images, runtime, rules, line.show, whole=not names))
    response = verdicts_response(_together(taken), dry_run=arguments.dry_run)
    return Outcome(response.model_dump(mode="json"), "\n".join(_verdict_lines(response)))


def _grouped(paths: Iterable[Path]) -> list[tuple[Path, list[ImagePath]]]:
    """Folders as a whole, and files by the folder they are in."""
    groups: dict[Path, list[ImagePath]] = {}
    folders: list[tuple[Path, list[ImagePath]]] = []
    for path in paths:
        if path.is_dir():
            folders.append((path, []))
        else:
            groups.setdefault(path.parent, []).append(ImagePath(path.name, path.stat().st_mtime))
    return [*folders, *groups.items()]


def _together(taken: Sequence[VerdictsOfFiles]) -> VerdictsOfFiles:
    def total(name: str) -> int:
        return sum(int(getattr(each, name)) for each in taken)

    return VerdictsOfFiles(
        images=total("images"),
        logged=total("logged"),
        recorded=tuple(verdict for each in taken for verdict in each.recorded),
        unchanged=total("unchanged"),
        others_kept=total("others_kept"),
        uncertain=total("uncertain"),
        without_verdict=total("without_verdict"),
        deleted=total("deleted"),
        ratings_gone=total("ratings_gone"),
        unread=tuple(unread for each in taken for unread in each.unread),
    )


def _runtime(arguments: argparse.Namespace) -> Runtime:
    if arguments.database is not None:
        configure(database=arguments.database)
    return current()


def _folder(path: Path, ratings: Sequence[str]) -> Folder:
    if not path.is_dir():
        raise WrongUse(f"{shown_name(str(path))} is not a folder.")
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - as it is written: links are not followed
    more = [Path(os.path.abspath(name)) for name in ratings]  # noqa: PTH100
    return Folder(absolute, Ratings(absolute, find_galleries(absolute, more=more)), _places())


def _places() -> dict[str, Path]:
    comfyui = find_comfyui()
    return {} if comfyui is None else {kind: comfyui / kind for kind in ("output", "input")}


def image_sources(images: Sequence[str], checkpoints: Sequence[str]) -> ImageSources:
    """What `serve` may read: these folders of images, and the checkpoints of these folders, or ComfyUI's."""
    folders: dict[str, Path] = {}
    for path in _checked(images):
        name = next(name for name in _names(path) if name not in folders)
        folders[name] = path
    models = _model_folders(checkpoints)
    return ImageSources(folders, lambda: _files_of(models))


def _names(path: Path) -> Iterator[str]:
    """Names for a folder: its own, and if that is taken with a number."""
    own = printable(path.name or "images")
    yield own
    yield from (f"{own} {number}" for number in itertools.count(2))


def _checked(folders: Sequence[str]) -> list[Path]:
    paths = [Path(os.path.abspath(folder)) for folder in folders]  # noqa: PTH100
    for path in paths:
        if not path.is_dir():
            raise WrongUse(f"{shown_name(str(path))} is not a folder.")
    return paths


def _model_folders(folders: Sequence[str]) -> list[Path]:
    """These folders; without any, those of ComfyUI."""
    comfyui = find_comfyui()
    if folders or comfyui is None:
        return _checked(folders)
    return [comfyui / name for name in _MODEL_FOLDERS if (comfyui / name).is_dir()]


def _files_of(folders: Sequence[Path]) -> list[ModelFile]:
    return [
        ModelFile(file.name, folder / file.name, file.fingerprint) for folder in folders for file in files_in(folder)
    ]


def _model_files(folders: Sequence[str], runtime: Runtime) -> list[ModelFile]:
    """The checkpoints of these folders; without any, those of ComfyUI, and those that the database knows."""
    files = _files_of(_model_folders(folders))
    if not folders:
        known = runtime.run_blocking(lambda service: service.images_shown())
        there = {file.name for file in files}
        files += [ModelFile(name) for name in known if name not in there]
    return files


def _listed(runtime: Runtime) -> Outcome:
    batches = runtime.run_blocking(lambda service: service.imports())
    response = ImportsResponse(
        imports=tuple(ImportBatchResponse.model_validate(batch) for batch in batches), running=(), roots=()
    )
    lines = [
        f"{shown_name(batch.name)}: {batch.images:,} images ({batch.rated:,} rated) from {batch.first_at:%Y-%m-%d} to "
        f"{batch.last_at:%Y-%m-%d}, imported {batch.created_at:%Y-%m-%d %H:%M} UTC"
        for batch in response.imports
    ]
    return Outcome(response.model_dump(mode="json"), "\n".join(lines) or "No images were imported.")


def _undone(runtime: Runtime, name: str) -> Outcome:
    generations = runtime.run_blocking(lambda service: service.undo_import(name))
    response = ImportUndoneResponse(name=name, generations=generations)
    return Outcome(response.model_dump(mode="json"), f"{shown_name(name)} was taken back: {generations:,} generations.")


def _survey_lines(survey: SurveyResponse) -> list[str]:
    tools = ", ".join(f"{count.name or 'unknown'} {count.images:,}" for count in survey.tools)
    lines = [f"{survey.read:,} of {survey.images:,} images say what made them{f': {tools}' if tools else ''}."]
    by = ", ".join(f"{number:,} by {how}" for how, number in survey.matched_by.items())
    matched = sum(survey.matched_by.values())
    lines.append(f"{matched:,} were made by checkpoints that are here{f' ({by})' if by else ''}:")
    lines += [f"  {count.images:>7,}  {shown_name(count.name)}" for count in survey.matched[:_SHOWN]]
    lines += _more(len(survey.matched))
    if survey.missing:
        lines.append(f"{survey.missing_images:,} were made by checkpoints that are not here, or not certain:")
        lines += [f"  {count.images:>7,}  {shown_name(count.name)}" for count in survey.missing[:_SHOWN]]
        lines += _more(len(survey.missing))
    sources = ", ".join(f"{count.images:,} by {_SOURCES.get(count.name, count.name)}" for count in survey.rated)
    rated = survey.kept + survey.rejected
    lines.append(
        f"{rated:,} are rated: {survey.kept:,} kept, {survey.rejected:,} not kept ({sources})."
        if rated
        else "None is rated."
    )
    for gallery in survey.galleries:
        name = f"{gallery.tool or 'A database'} ({shown_name(gallery.path)})"
        lines.append(
            f"{name} could not be read: {gallery.problem}."
            if gallery.problem
            else f"{name} has {gallery.ratings:,} ratings."
        )
    lines += [
        f"{number:,} {what}."
        for number, what in (
            (survey.without_model, "do not say which checkpoint made them"),
            (survey.logged, "are of generations that are logged already"),
            (survey.known, "were imported before"),
            (survey.repeated, "are copies of others"),
            (survey.in_future, "are newer than now; they count as made now"),
            (survey.ratings_gone, "ratings are of files that are not there"),
        )
        if number
    ]
    return lines + _unread_lines(survey.unread)


def _more(number: int) -> list[str]:
    return [f"  and {number - _SHOWN} more (--json has them)"] if number > _SHOWN else []


def _unread_lines(unread: Sequence[UnreadResponse]) -> list[str]:
    return [f"{each.images:,} could not be read, such as {shown_name(each.example)}: {each.reason}" for each in unread]


def _verdict_lines(response: FileVerdictsResponse) -> list[str]:
    lines = [
        f"{each.verdict}: {shown_name(each.file)} (by {_SOURCES.get(each.source, each.source)})"
        for each in response.recorded[:_MOST_VERDICTS]
        if each.source != "asked"
    ]
    if len(response.recorded) > _MOST_VERDICTS:
        lines.append(f"and {len(response.recorded) - _MOST_VERDICTS:,} more (--json has them)")
    counts = Counter(each.verdict for each in response.recorded)
    would = "would be recorded" if response.dry_run else "recorded"
    lines.append(
        f"{response.logged:,} of {response.images:,} files are images of the log: "
        f"{counts['selected']:,} selected and {counts['rejected']:,} rejected {would}."
    )
    lines += [
        f"{number:,} {what}."
        for number, what in (
            (response.unchanged, "have that verdict already"),
            (response.others_kept, "have another verdict, which stays; --replace would replace it"),
            (response.without_verdict, "have no stars and lie in no folder that says what you think of them"),
            (response.uncertain, "may be one of several images of their generation, so nothing was recorded"),
            (response.deleted, "images of the log are not there any more"),
            (response.ratings_gone, "ratings are of files that are not there"),
        )
        if number
    ]
    return lines + _unread_lines(response.unread)


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


class _Line:
    """One line on a terminal that says how far the work is; nothing where stderr is no terminal."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._width = 0

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def show(self, progress: Progress) -> None:
        unit, size = _UNITS.get(progress.phase, ("images", 1))
        of = f" of {progress.of // size:,}" if progress.of else ""
        self._write(f"{progress.phase}: {progress.done // size:,}{of} {unit}")

    def _write(self, text: str) -> None:
        if self._is_shown:
            print(f"\r{text.ljust(self._width)}", end="" if text else "\r", file=sys.stderr, flush=True)
            self._width = len(text)
