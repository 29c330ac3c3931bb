"""What each command of `context-checkpoint` does: arguments in, one outcome out.

Separate from `app.py`, which owns the parser and the printing, so that a command is a function whose outcome
a test can read. Outcomes have the shapes of the HTTP responses, so that a script can move between both.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from ..api.schemas.base import ResponseModel
from ..api.schemas.exchange import ImportResponse, renamings
from ..api.schemas.explain import ExplainResponse
from ..api.schemas.generations import GenerationResponse
from ..api.schemas.loras import loras_response
from ..api.schemas.negative_words import negative_words_response
from ..api.schemas.parameters import parameter_response, shown_given
from ..api.schemas.recommend import recommend_response
from ..api.schemas.settings import SettingsResponse
from ..api.schemas.statistics import StatisticsResponse
from ..learning.errors import InvalidRequest
from ..learning.exchange.line_format import lines_in
from ..learning.loras import MOST_RECOMMENDED, LoraCandidate
from ..learning.names import shown_name
from ..learning.parameters import checked_value, shown_value
from ..learning.recommendation.explanation import progress_sentence
from ..learning.reports import CheckpointRow, PairRow
from ..learning.service.service import PreferenceService
from ..learning.values import Recommendation, Thresholds
from ..runtime.process import configure, current
from ..runtime.runtime import Runtime
from ..runtime.settings import DEFINITIONS
from .folder import candidates_in, files_in, loras_in
from .image_commands import feedback_of_files, image_sources
from .outcome import CommandFailed, Outcome, WrongUse

T = TypeVar("T")

_PATH = re.compile(r"[./\\]")
"""What is in the path of an image, and in no generation's id."""


def _runtime(arguments: argparse.Namespace) -> Runtime:
    if arguments.database is not None:
        configure(database=arguments.database)
    return current()


def _run(arguments: argparse.Namespace, operation: Callable[[PreferenceService], Coroutine[Any, Any, T]]) -> T:
    return _runtime(arguments).run_blocking(operation)


def _prompt(arguments: argparse.Namespace) -> str:
    return _readable(sys.stdin.read() if arguments.prompt == "-" else arguments.prompt, "The prompt")


def _negative(arguments: argparse.Namespace) -> str:
    return _readable(arguments.negative, "The negative prompt")


def _candidates(arguments: argparse.Namespace) -> tuple[str, ...]:
    if arguments.folder is None:
        if arguments.include or arguments.exclude:
            raise WrongUse("--include and --exclude choose among the files of a --folder.")
        if not arguments.candidates:
            raise WrongUse("Name the checkpoints to choose from, or a --folder that holds them.")
        return tuple(_readable(name, "A checkpoint's name") for name in arguments.candidates)
    if arguments.candidates:
        raise WrongUse("Name the checkpoints or a --folder, not both.")
    return candidates_in(Path(arguments.folder), arguments.include, arguments.exclude)


def _loras(arguments: argparse.Namespace) -> list[str | LoraCandidate]:
    if arguments.folder is None:
        if arguments.include or arguments.exclude:
            raise WrongUse("--include and --exclude choose among the files of a --folder.")
        if not arguments.available:
            raise WrongUse("Name the LoRAs with --available, or a --folder that holds them.")
        return [_readable(name, "A LoRA's name") for name in arguments.available]
    if arguments.available:
        raise WrongUse("Name the LoRAs or a --folder, not both.")
    return loras_in(Path(arguments.folder), arguments.include, arguments.exclude)


def _readable(text: str, what: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise WrongUse(f"{what} is not valid text in this terminal's encoding.") from None
    return text


def recommend(arguments: argparse.Namespace) -> Outcome:
    settings = _runtime(arguments).settings
    thresholds = Thresholds(
        exploit=settings.exploit_threshold if arguments.exploit_threshold is None else arguments.exploit_threshold,
        explore=settings.explore_threshold if arguments.explore_threshold is None else arguments.explore_threshold,
    )
    if arguments.images is not None and arguments.images < 1:
        raise WrongUse("--images must be at least 1.")
    prompt, candidates = _prompt(arguments), _candidates(arguments)
    files = files_in(Path(arguments.folder)) if arguments.folder is not None else []

    async def recommend_in(service: PreferenceService) -> Recommendation:
        if files:  # a renamed file keeps what was learned of it
            _runtime(arguments).follow(await service.meet_files({file.name: file.fingerprint for file in files}))
        return await service.recommend(
            prompt,
            candidates,
            stage=arguments.stage,
            explore=arguments.explore,
            policy=arguments.policy,
            max_branches=arguments.max_branches,
            seed=arguments.seed,
            thresholds=thresholds,
            negative=_negative(arguments),
        )

    recommendation = _run(arguments, recommend_in)
    response = recommend_response(recommendation, images=arguments.images)
    lines = [
        *(f"{shown_name(name)}{_times(response.images, name)}" for name in response.checkpoints),
        "",
        (
            f"{response.strategy}, confidence {response.confidence:.2f} "
            f"(evidence {response.evidence:.2f}, clarity {response.clarity:.2f}), policy {response.policy}"
        ),
        response.explanation,
        *([progress_sentence(recommendation.progress)] if recommendation.progress else []),
    ]
    return Outcome(_json(response), "\n".join(lines))


def _times(division: Mapping[str, int] | None, name: str) -> str:
    return f"  x{division[name]}" if division else ""


def parameter(arguments: argparse.Namespace) -> Outcome:
    prompt, negative = _prompt(arguments), _negative(arguments)
    checkpoint = arguments.checkpoint and _readable(arguments.checkpoint, "The checkpoint's name")
    default = _number_or_text(_readable(arguments.default, "The default"), arguments.name)
    try:
        checked_value(arguments.name, default)
    except InvalidRequest as error:
        raise WrongUse(error.message) from error
    recommendation = _run(
        arguments,
        lambda service: service.recommend_parameter(prompt, arguments.name, default, checkpoint, negative=negative),
    )
    response = parameter_response(recommendation)
    rows = [
        (shown_name(shown_value(row.value)), f"{row.share:.0%}", str(row.used), str(row.selected), str(row.total))
        for row in response.values
    ]
    lines = [
        shown_name(shown_given(response.value)),
        "",
        f"confidence {response.confidence:.2f}",
        response.reason,
        "",
        *_table(("value", "expected", "used", "selected", "judged"), rows),
    ]
    return Outcome(_json(response), "\n".join(lines))


def negative(arguments: argparse.Namespace) -> Outcome:
    prompt, there = _prompt(arguments), _negative(arguments)
    checkpoint = arguments.checkpoint and _readable(arguments.checkpoint, "The checkpoint's name")
    response = negative_words_response(
        _run(arguments, lambda service: service.suggest_negative_prompt(prompt, checkpoint, negative=there))
    )
    lines = [", ".join(shown_name(each.word) for each in response.words), ""]
    lines += _table(("word", "why"), [(shown_name(each.word), each.reason) for each in response.words])
    return Outcome(_json(response), "\n".join(lines) if response.words else "Nothing is known to add.")


def loras(arguments: argparse.Namespace) -> Outcome:
    prompt, negative = _prompt(arguments), _negative(arguments)
    checkpoint = arguments.checkpoint and _readable(arguments.checkpoint, "The checkpoint's name")
    available = _loras(arguments)
    if not 0 <= arguments.most <= MOST_RECOMMENDED:
        raise WrongUse(f"--most {arguments.most} is out of range. Choose 0 to {MOST_RECOMMENDED}.")
    recommendation = _run(
        arguments,
        lambda service: service.recommend_loras(prompt, checkpoint, available, negative=negative, most=arguments.most),
    )
    response = loras_response(recommendation)
    rows = [
        (
            shown_name(row.name),
            f"{row.strength:g}",
            f"{row.score:+.2f}",
            f"{row.share:.0%}",
            str(row.used),
            str(row.selected),
            str(row.total),
        )
        for row in response.ranking
    ]
    lines = [
        *(f"{shown_name(lora.name)}  {lora.strength:g}" for lora in response.loras),
        *([] if response.loras else ["none"]),
        "",
        f"confidence {response.confidence:.2f}",
        *([lora.reason for lora in response.loras] or [response.reason]),
        *(["", *_table(("LoRA", "strength", "score", "expected", "used", "selected", "judged"), rows)] if rows else []),
    ]
    return Outcome(_json(response), "\n".join(lines))


def _number_or_text(text: str, name: str) -> int | float | str:
    """A number where the parameter is one; a text that is none is for the service to refuse."""
    if name in ("steps", "cfg", "clip_skip"):
        for number in (int, float):
            with suppress(ValueError):
                return number(text)
    return text


def feedback(arguments: argparse.Namespace) -> Outcome:
    if any(_is_file(subject) for subject in arguments.subject):
        return feedback_of_files(arguments)
    if len(arguments.subject) > 1:
        raise WrongUse("Give one generation at a time.")
    of_files = ("select", "reject", "dry_run", "replace", "deleted_are_rejected", "ratings")
    if wrong := next((option for option in of_files if getattr(arguments, option)), None):
        raise WrongUse(f"--{wrong.replace('_', '-')} is for image files, and this is the id of a generation.")
    [generation_id] = arguments.subject
    counts = arguments.selected or arguments.rejected
    positions = arguments.selected_images or arguments.rejected_images
    if arguments.withdraw == bool(counts or positions):
        raise WrongUse("Say what was selected or rejected, or --withdraw the verdict.")
    if counts and positions:
        raise WrongUse("Give counts per checkpoint or image positions, not both.")
    generation = _run(
        arguments,
        lambda service: (
            service.record_feedback(
                generation_id,
                selected_images=arguments.selected_images,
                rejected_images=arguments.rejected_images,
            )
            if positions
            else service.record_feedback(generation_id, _counts(arguments.selected), _counts(arguments.rejected))
        ),
    )
    response = GenerationResponse.model_validate(generation)
    verdicts = Counter(image.verdict for image in response.images)
    text = (
        f"{response.id}: {verdicts['selected']} selected, {verdicts['rejected']} rejected, "
        f"{verdicts[None]} without a verdict."
    )
    return Outcome(_json(response), text)


def _is_file(subject: str) -> bool:
    return _PATH.search(subject) is not None or Path(subject).exists()


def _counts(entries: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for entry in entries:
        name, equals, count = entry.rpartition("=")
        if not equals or not name or not count.isdecimal():
            raise WrongUse(f"{entry!r} is not CHECKPOINT=COUNT, for example epicrealismXL.safetensors=2.")
        counts[_readable(name, "A checkpoint's name")] = counts.get(name, 0) + int(count)
    return counts


def stats(arguments: argparse.Namespace) -> Outcome:
    if arguments.limit < 1:
        raise WrongUse("--limit must be at least 1.")
    if arguments.csv is not None:
        return _stats_as_csv(arguments)
    statistics = _run(
        arguments,
        lambda service: service.statistics(
            keyword=arguments.keyword, checkpoint=arguments.checkpoint, limit=arguments.limit
        ),
    )
    response = StatisticsResponse.model_validate(statistics)
    counts = statistics.overview
    judged = f"{counts.judged} of {counts.generations} generations judged"
    lines = [f"{judged}, {counts.selected} images selected, {counts.rejected} rejected."]
    if counts.counting:
        lines.append(f"The log is still being counted: these are {counts.counting}.")
    if counts.recomputing:
        lines.append(f"The statistics are being recomputed: {counts.recomputing}; these are the former ones.")
    if statistics.checkpoints:
        rows = [(shown_name(row.checkpoint), *_cells(row)) for row in statistics.checkpoints]
        lines += ["", *_table(("checkpoint", "selected", "judged", "rate"), rows)]
    if statistics.pairs:
        pairs = [(shown_name(row.keyword), shown_name(row.checkpoint), *_cells(row)) for row in statistics.pairs]
        lines += ["", *_table(("keyword", "checkpoint", "selected", "judged", "rate"), pairs, left=2)]
        if statistics.pairs_found > len(statistics.pairs):
            lines.append(f"({statistics.pairs_found - len(statistics.pairs)} more; --limit shows more)")
    return Outcome(_json(response), "\n".join(lines))


def _stats_as_csv(arguments: argparse.Namespace) -> Outcome:
    if arguments.csv == "-":
        if arguments.json:
            raise WrongUse("--csv - prints CSV; leave --json out, or name a file.")
        _write_csv(arguments, sys.stdout.buffer)
        return Outcome({}, "")
    path = Path(arguments.csv)
    rows = _written(path, lambda file: _write_csv(arguments, file))
    return Outcome({"rows": rows, "file": str(path)}, f"{rows:,} rows written to {shown_name(str(path))}.")


def _write_csv(arguments: argparse.Namespace, file: IO[bytes]) -> int:
    async def write(service: PreferenceService) -> int:
        lines = -1  # the heading is no row
        async for text in service.pairs_as_csv(arguments.keyword, arguments.checkpoint):
            file.write(text.encode())
            lines += text.count("\r\n")
        file.flush()
        return lines

    return _run(arguments, write)


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


def explain(arguments: argparse.Namespace) -> Outcome:
    prompt, candidates = _prompt(arguments), _candidates(arguments)
    thresholds = _runtime(arguments).settings.thresholds
    explained = _run(
        arguments,
        lambda service: service.explain(
            prompt,
            candidates,
            stage=arguments.stage,
            policy=arguments.policy,
            thresholds=thresholds,
            negative=_negative(arguments),
        ),
    )
    response = ExplainResponse.model_validate(explained)
    keywords = ", ".join(f"{shown_name(word.text)} ({word.rounds:.3g})" for word in response.keywords)
    parts = f"evidence {response.evidence:.2f}, clarity {response.clarity:.2f}"
    lines = [
        f"{response.summary} (confidence {response.confidence:.2f}: {parts}; policy {response.policy})",
        f"Keywords, and the comparable generations that had them: {keywords or 'none'}",
        "",
        *_table(
            ("checkpoint", "score", "kept", "judged"),
            [
                (shown_name(row.checkpoint), f"{row.score:.3f}", str(row.selected), str(row.total))
                for row in response.checkpoints
            ],
        ),
    ]
    for row in response.checkpoints:
        for side, reasons in (("for", row.speak_for), ("against", row.speak_against)):
            words = ", ".join(
                f"{shown_name(reason.keyword)} ({reason.selected}/{reason.total})" for reason in reasons[:5]
            )
            lines += [f"{side} {shown_name(row.checkpoint)}: {words}"] if words else []
    lines += ["", f"What would change it: {response.would_change.sentence}"]
    return Outcome(_json(response), "\n".join(lines))


def export(arguments: argparse.Namespace) -> Outcome:
    if arguments.file == "-":
        if arguments.json:
            raise WrongUse("Without a FILE the lines themselves are printed, which are JSON already.")
        _write_lines(arguments, sys.stdout.buffer)
        return Outcome({}, "")
    path = Path(arguments.file)
    count = _written(path, lambda file: _write_lines(arguments, file))
    return Outcome(
        {"generations": count, "file": str(path)}, f"{count:,} generations written to {shown_name(str(path))}."
    )


def _written(path: Path, write: Callable[[IO[bytes]], int]) -> int:
    """Write a file that appears only once it is complete."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with draft.open("xb") as file:
            count = write(file)
        draft.replace(path)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return count


def _write_lines(arguments: argparse.Namespace, file: IO[bytes]) -> int:
    async def write(service: PreferenceService) -> int:
        count = -1  # the header is not a generation
        async for line in service.export(anonymous=arguments.anonymous):
            file.write(line.encode())
            count += 1
        file.flush()
        return count

    return _run(arguments, write)


def import_file(arguments: argparse.Namespace) -> Outcome:
    names = renamings([_readable(entry, "A checkpoint's name") for entry in arguments.map])
    try:
        with ExitStack() as opened:
            file = sys.stdin.buffer if arguments.file == "-" else opened.enter_context(Path(arguments.file).open("rb"))
            report = _run(arguments, lambda service: service.import_lines(lines_in(file), names))
    except OSError as error:
        raise CommandFailed(f"{arguments.file} cannot be read: {error.strerror or error}.") from error
    response = ImportResponse.model_validate(report)
    counts = f"{response.added:,} new, {response.verdicts_replaced:,} verdicts replaced"
    return Outcome(_json(response), f"{response.generations:,} generations: {counts}.")


def settings(arguments: argparse.Namespace) -> Outcome:
    runtime = _runtime(arguments)
    definitions = {definition.name: definition for definition in DEFINITIONS}
    changes: dict[str, Any] = {}
    for entry in arguments.changes:
        name, equals, text = entry.partition("=")
        if not equals:
            raise WrongUse(f"{entry!r} is not NAME=VALUE, for example policy=counts.")
        # An unknown name goes on as it is: the settings refuse it and name those there are.
        changes[name] = definitions[name].parse(text) if name in definitions else text
    values = runtime.change_settings(**changes) if changes else runtime.settings
    lines = [
        f"{name}={shown_name(definition.spell(getattr(values, name)))}" for name, definition in definitions.items()
    ]
    return Outcome(_json(SettingsResponse.model_validate(values)), "\n".join(lines))


def serve(arguments: argparse.Namespace) -> Outcome:
    import asyncio
    import contextlib
    import signal

    try:
        from ..api import standalone
    except ImportError as error:
        if error.name != "aiohttp":
            raise
        raise CommandFailed(
            'serve needs the package aiohttp: python -m pip install "context-checkpoint[serve]"'
        ) from None
    if not 0 <= arguments.port < 2**16:
        raise WrongUse("--port must be between 0 and 65535.")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs start with it ignored
    images = image_sources(arguments.images, arguments.checkpoints)
    serving = standalone.serve(
        _runtime(arguments), host=arguments.host, port=arguments.port, announce=_announce, images=images
    )
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serving)
    except OSError as error:
        place = f"{arguments.host}:{arguments.port}"
        raise CommandFailed(
            f"{place} cannot be bound ({error.strerror or error}). Choose another --port or --host."
        ) from error
    return Outcome({}, "")


def mcp(arguments: argparse.Namespace) -> Outcome:
    try:
        from . import mcp_server
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise CommandFailed(
            'mcp needs the package mcp, version 2: python -m pip install "context-checkpoint[mcp]"'
        ) from None
    mcp_server.serve(arguments, _runtime(arguments))
    return Outcome({}, "")


def _announce(address: str) -> None:
    sys.stdout.write(f"Context Checkpoint is served at {address} (Ctrl+C ends it)\n")
    sys.stdout.flush()


def _json(response: ResponseModel) -> Any:
    return response.model_dump(mode="json")
