"""What each command of `context-checkpoint` does: arguments in, one outcome out.

Separate from `cli.py`, which owns the parser and the printing, so that a command is a function whose outcome
a test can look at. Outcomes have the shapes of the HTTP answers, so that a script can move between both.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from ..api import schemas
from ..checkpoints.fallback import empty_pool_message
from ..checkpoints.families import UNKNOWN
from ..checkpoints.header import Header
from ..checkpoints.inventory import CheckpointFiles
from ..checkpoints.pool import ALL, CheckpointFile, PoolRules, select
from ..learning.exchange.line_format import lines_in
from ..learning.reports import CheckpointRow, PairRow
from ..learning.service.service import PreferenceService
from ..learning.values import Recommendation, Thresholds
from ..runtime.process import configure, current
from ..runtime.runtime import Runtime
from .outcome import CommandFailed, Outcome, WrongUse

T = TypeVar("T")

SUFFIXES = frozenset({".bin", ".ckpt", ".gguf", ".pkl", ".pt", ".pt2", ".pth", ".safetensors", ".sft"})
"""Of files that ComfyUI lists as checkpoints."""

_LISTS = frozenset({"pinned", "banned"})
"""Settings whose value is names, with commas between."""


# --- where the data is, and what is asked


def _runtime(given: argparse.Namespace) -> Runtime:
    if given.database is not None:
        configure(database=given.database)
    return current()


def _ask(given: argparse.Namespace, operation: Callable[[PreferenceService], Coroutine[Any, Any, T]]) -> T:
    return _runtime(given).run_blocking(operation)


def _prompt(given: argparse.Namespace) -> str:
    return _readable(sys.stdin.read() if given.prompt == "-" else given.prompt, "The prompt")


def _negative(given: argparse.Namespace) -> str:
    return _readable(given.negative, "The negative prompt")


def _candidates(given: argparse.Namespace) -> tuple[str, ...]:
    if given.folder is None:
        if given.include or given.exclude:
            raise WrongUse("--include and --exclude choose among the files of a --folder.")
        if not given.candidates:
            raise WrongUse("Name the checkpoints to choose from, or a --folder that holds them.")
        return tuple(_readable(name, "A checkpoint's name") for name in given.candidates)
    if given.candidates:
        raise WrongUse("Name the checkpoints or a --folder, not both.")
    return _in_folder(Path(given.folder), given.include, given.exclude)


def _files_in(folder: Path) -> list[CheckpointFile]:
    return list(CheckpointFiles(FolderCheckpoints(folder), store=None).list())


def _in_folder(folder: Path, include: str, exclude: str) -> tuple[str, ...]:
    if not folder.is_dir():
        raise WrongUse(f"{folder} is not a folder.")
    rules = PoolRules(family=ALL, include=include, exclude=exclude)
    pool = select(rules, _files_in(folder))
    if not pool.candidates:
        raise CommandFailed(empty_pool_message(rules, pool, [str(folder)]))
    return pool.candidates


def _readable(text: str, what: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise WrongUse(f"{what} is not valid text in this terminal's encoding.") from None
    return text


@dataclass(slots=True)
class FolderCheckpoints:
    """The checkpoint files of a folder, for `CheckpointFiles`. It tells no families: that takes ComfyUI."""

    folder: Path
    detector: str = "none"

    def names(self) -> list[str]:
        found = (path for path in self.folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def path(self, name: str) -> Path | None:
        path = self.folder / name
        return path if path.is_file() else None

    def folders(self) -> list[str]:
        return [str(self.folder)]

    def family(self, header: Header) -> str:
        return UNKNOWN


# --- the commands


def recommend(given: argparse.Namespace) -> Outcome:
    settings = _runtime(given).settings
    thresholds = Thresholds(
        exploit=settings.exploit_threshold if given.exploit_threshold is None else given.exploit_threshold,
        explore=settings.explore_threshold if given.explore_threshold is None else given.explore_threshold,
    )
    if given.images is not None and given.images < 1:
        raise WrongUse("--images must be at least 1.")
    prompt, candidates = _prompt(given), _candidates(given)
    files = _files_in(Path(given.folder)) if given.folder is not None else []

    async def recommend_in(service: PreferenceService) -> Recommendation:
        if files:  # a renamed file takes along what was learned of it
            await service.meet_files({file.name: file.fingerprint for file in files})
        return await service.recommend(
            prompt,
            candidates,
            stage=given.stage,
            explore=given.explore,
            policy=given.policy,
            max_branches=given.max_branches,
            seed=given.seed,
            thresholds=thresholds,
            negative=_negative(given),
        )

    recommendation = _ask(given, recommend_in)
    answer = schemas.recommend_response(recommendation, images=given.images)
    lines = [
        *(f"{name}{_times(answer.images, name)}" for name in answer.checkpoints),
        "",
        (
            f"{answer.strategy}, confidence {answer.confidence:.2f} "
            f"(evidence {answer.evidence:.2f}, clarity {answer.clarity:.2f}), policy {answer.policy}"
        ),
        answer.explanation,
    ]
    return Outcome(_json(answer), "\n".join(lines))


def _times(division: Mapping[str, int] | None, name: str) -> str:
    return f"  x{division[name]}" if division else ""


def feedback(given: argparse.Namespace) -> Outcome:
    counts = given.selected or given.rejected
    positions = given.selected_images or given.rejected_images
    if given.withdraw == bool(counts or positions):
        raise WrongUse("Say what was selected or rejected, or --withdraw the verdict.")
    if counts and positions:
        raise WrongUse("Give counts per checkpoint or image positions, not both.")
    generation = _ask(
        given,
        lambda service: (
            service.record_feedback(
                given.generation_id,
                selected_images=given.selected_images,
                rejected_images=given.rejected_images,
            )
            if positions
            else service.record_feedback(given.generation_id, _counts(given.selected), _counts(given.rejected))
        ),
    )
    answer = schemas.GenerationResponse.model_validate(generation)
    kept = [image for image in answer.images if image.verdict == "selected"]
    thrown = [image for image in answer.images if image.verdict == "rejected"]
    silent = len(answer.images) - len(kept) - len(thrown)
    text = f"{answer.id}: {len(kept)} selected, {len(thrown)} rejected, {silent} without a verdict."
    return Outcome(_json(answer), text)


def _counts(given: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for entry in given:
        name, equals, count = entry.rpartition("=")
        if not equals or not name or not count.isdecimal():
            raise WrongUse(f"{entry!r} is not CHECKPOINT=COUNT, for example epicrealismXL.safetensors=2.")
        counts[_readable(name, "A checkpoint's name")] = counts.get(name, 0) + int(count)
    return counts


def stats(given: argparse.Namespace) -> Outcome:
    if given.limit < 1:
        raise WrongUse("--limit must be at least 1.")
    statistics = _ask(
        given,
        lambda service: service.statistics(keyword=given.keyword, checkpoint=given.checkpoint, limit=given.limit),
    )
    answer = schemas.StatisticsResponse.model_validate(statistics)
    counts = statistics.overview
    judged = f"{counts.judged} of {counts.generations} rounds judged"
    lines = [f"{judged}, {counts.selected} images selected, {counts.rejected} rejected."]
    if counts.counting:
        lines.append(f"The log is still being counted: these are {counts.counting}.")
    if counts.recomputing:
        lines.append(f"The statistics are being recomputed: {counts.recomputing}; these are the former ones.")
    if statistics.checkpoints:
        rows = [(row.checkpoint, *_cells(row)) for row in statistics.checkpoints]
        lines += ["", *_table(("checkpoint", "selected", "judged", "rate"), rows)]
    if statistics.pairs:
        pairs = [(row.keyword, row.checkpoint, *_cells(row)) for row in statistics.pairs]
        lines += ["", *_table(("keyword", "checkpoint", "selected", "judged", "rate"), pairs, left=2)]
        if statistics.pairs_found > len(statistics.pairs):
            lines.append(f"({statistics.pairs_found - len(statistics.pairs)} more; --limit shows more)")
    return Outcome(_json(answer), "\n".join(lines))


def _cells(row: CheckpointRow | PairRow) -> tuple[str, str, str]:
    rate = f"{row.selected / row.total:.0%}" if row.total else "-"
    return f"{row.selected:g}", f"{row.total:g}", rate


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Align columns: the first `left` ones to the left, the others to the right."""
    lines = [titles, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    return [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]


def explain(given: argparse.Namespace) -> Outcome:
    prompt, candidates = _prompt(given), _candidates(given)
    thresholds = _runtime(given).settings.thresholds
    explained = _ask(
        given,
        lambda service: service.explain(
            prompt,
            candidates,
            stage=given.stage,
            policy=given.policy,
            thresholds=thresholds,
            negative=_negative(given),
        ),
    )
    answer = schemas.ExplainResponse.model_validate(explained)
    heard = ", ".join(f"{word.text} ({word.rounds:.3g})" for word in answer.keywords)
    sure = f"evidence {answer.evidence:.2f}, clarity {answer.clarity:.2f}"
    lines = [
        f"{answer.summary} (confidence {answer.confidence:.2f}: {sure}; policy {answer.policy})",
        f"Keywords, and the comparable rounds that had them: {heard or 'none'}",
        "",
        *_table(
            ("checkpoint", "score", "kept", "judged"),
            [(row.checkpoint, f"{row.score:.3f}", str(row.selected), str(row.total)) for row in answer.checkpoints],
        ),
    ]
    for row in answer.checkpoints:
        for verb, reasons in (("for", row.speak_for), ("against", row.speak_against)):
            told = ", ".join(f"{reason.keyword} ({reason.selected}/{reason.total})" for reason in reasons[:5])
            lines += [f"{verb} {row.checkpoint}: {told}"] if told else []
    lines += ["", f"What would change it: {answer.would_change.sentence}"]
    return Outcome(_json(answer), "\n".join(lines))


def export(given: argparse.Namespace) -> Outcome:
    if given.file == "-":
        if given.json:
            raise WrongUse("Without a FILE the lines themselves are printed, which are JSON already.")
        _write_lines(given, sys.stdout.buffer)
        return Outcome({}, "")
    path = Path(given.file)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with draft.open("xb") as file:
            count = _write_lines(given, file)
        draft.replace(path)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return Outcome({"generations": count, "file": str(path)}, f"{count:,} generations written to {path}.")


def _write_lines(given: argparse.Namespace, file: IO[bytes]) -> int:
    async def write(service: PreferenceService) -> int:
        count = -1  # the header is no generation
        async for line in service.export(anonymous=given.anonymous):
            file.write(line.encode())
            count += 1
        file.flush()
        return count

    return _ask(given, write)


def import_file(given: argparse.Namespace) -> Outcome:
    names = schemas.renamings([_readable(entry, "A checkpoint's name") for entry in given.map])
    try:
        with ExitStack() as opened:
            file = sys.stdin.buffer if given.file == "-" else opened.enter_context(Path(given.file).open("rb"))
            report = _ask(given, lambda service: service.import_lines(lines_in(file), names))
    except OSError as error:
        raise CommandFailed(f"{given.file} cannot be read: {error.strerror or error}.") from error
    answer = schemas.ImportResponse.model_validate(report)
    counts = f"{answer.added:,} new, {answer.verdicts_replaced:,} verdicts replaced"
    return Outcome(_json(answer), f"{answer.generations:,} generations: {counts}.")


def settings(given: argparse.Namespace) -> Outcome:
    runtime = _runtime(given)
    changes: dict[str, Any] = {}
    for entry in given.changes:
        name, equals, value = entry.partition("=")
        if not equals:
            raise WrongUse(f"{entry!r} is not NAME=VALUE, for example policy=counts.")
        changes[name] = _listed(value) if name in _LISTS else _value(value)
    found = runtime.change_settings(**changes) if changes else runtime.settings
    answer = schemas.SettingsResponse.model_validate(found)
    shown = {name: ",".join(value) if name in _LISTS else value for name, value in _json(answer).items()}
    return Outcome(_json(answer), "\n".join(f"{name}={value}" for name, value in shown.items()))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def serve(given: argparse.Namespace) -> Outcome:
    import asyncio
    import contextlib
    import signal

    try:
        from ..api import standalone
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise CommandFailed(
            'serve needs the package aiohttp: python -m pip install "context-checkpoint[serve]"'
        ) from None
    if not 0 <= given.port < 2**16:
        raise WrongUse("--port must be between 0 and 65535.")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs start with it ignored
    serving = standalone.serve(_runtime(given), host=given.host, port=given.port, announce=_announce)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serving)
    except OSError as error:
        place = f"{given.host}:{given.port}"
        raise CommandFailed(
            f"{place} cannot be bound ({error.strerror or error}). Choose another --port or --host."
        ) from error
    return Outcome({}, "")


def _announce(address: str) -> None:
    sys.stdout.write(f"Context Checkpoint is served at {address} (Ctrl+C ends it)\n")
    sys.stdout.flush()


def _json(answer: schemas.ResponseModel) -> Any:
    return answer.model_dump(mode="json")
