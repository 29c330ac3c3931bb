"""The demonstration: find or install a ComfyUI, run the prompts, report the result, and stay open."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import contact_sheet, report
from .backends import COLORS, Backend, ComfyBackend, CoreBackend
from .comfyui import private_install
from .comfyui.installation import PACK, ComfyInstallation, NoComfyUI, find_comfyui
from .comfyui.server import ComfyServer
from .person import SUBJECTS, Person
from .report import JudgedPrompt
from .tiny_models.checkpoints import write

CORE_ONLY = "LEARNING CORE ONLY: the same decisions and the same database, but no ComfyUI and no images."


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    for ending in (signal.SIGTERM, signal.SIGINT):  # a shell's background jobs start with SIGINT ignored
        signal.signal(ending, signal.default_int_handler)
    started = time.monotonic()
    output = options.output.resolve()
    try:
        with _open_backend(options, output) as (backend, address):
            person = Person(list(COLORS), seed=options.seed)
            played = play(backend, person, options.prompts)
            _report(backend, person, played, output)
            print(f"That took {time.monotonic() - started:.0f} s.")
            if options.serve:
                _stay_open(backend, address)
    except KeyboardInterrupt:
        print("\nEnded.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="context-checkpoint demo", description="Watch the branches go from three to one."
    )
    parser.add_argument("--prompts", type=int, default=48, help="how many (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another person, with other tastes")
    parser.add_argument("--output", type=Path, default=_output_folder(), help="default: %(default)s")
    parser.add_argument("--no-serve", dest="serve", action="store_false", help="end instead of staying open")
    parser.add_argument("--yes", action="store_true", help="if none is found, install a private ComfyUI")
    parser.add_argument("--core-only", action="store_true", help="play on the learning core, without a ComfyUI")
    return parser


def _output_folder() -> Path:
    return (PACK if (PACK / "run.py").exists() else Path.cwd()) / "demo-output"


@contextmanager
def _open_backend(options: argparse.Namespace, output: Path) -> Iterator[tuple[Backend, str]]:
    """Open a backend that has learned nothing yet: in a ComfyUI if there is one, else on the core alone."""
    folder = output / "studio"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    installation = None if options.core_only else _installation(install=options.yes)
    if installation is None:
        print(f"\n{CORE_ONLY}\n")
        core = CoreBackend(folder)
        try:
            yield core, ""
        finally:
            core.runtime.close()
        return
    print(f"ComfyUI {installation.version} in {installation.path} (it is only read).")
    server = ComfyServer(folder, installation=installation)
    for seed, (name, color) in enumerate(COLORS.items()):
        write(server.checkpoints / name, color=color, seed=seed)
    print(f"Wrote {len(COLORS)} tiny checkpoints. Starting the server ...", flush=True)
    with server:
        yield ComfyBackend(server), server.url


def _installation(*, install: bool) -> ComfyInstallation | None:
    try:
        installation = find_comfyui()
        if installation is None and private_install.offer(accepted=install):
            installation = private_install.install()
    except NoComfyUI as problem:
        print(f"{problem}\nThe demonstration runs without a ComfyUI.")
        return None
    if installation is not None and not installation.recent_enough:
        print(f"ComfyUI {installation.version} in {installation.path} is too old. The demonstration runs without it.")
        return None
    return installation


def play(backend: Backend, person: Person, prompts: int) -> list[JudgedPrompt]:
    """Run and judge a number of prompts."""
    played: list[JudgedPrompt] = []
    for number, prompt in enumerate(person.prompts(prompts), start=1):
        generated = backend.generate(prompt)
        verdict = person.judge(prompt.kind, generated.made_by)
        backend.judge(generated.generation_id, verdict)
        played.append(JudgedPrompt(prompt, generated, verdict))
        _show_progress(number, prompts, played[-1])
    return played


def _show_progress(number: int, prompts: int, last: JudgedPrompt) -> None:
    filled = round(24 * number / prompts)
    bar = f"[{'#' * filled}{'.' * (24 - filled)}] {number:>3}/{prompts}"
    now = f"{last.prompt.kind:<9} confidence {last.generated.confidence:.2f}  branches: {last.branches}"
    if sys.stdout.isatty():
        print(f"\r{bar}  {now}", end="\n" if number == prompts else "", flush=True)
    elif number % 10 == 0 or number == prompts:
        print(f"{bar}  {now}", flush=True)


def _report(backend: Backend, person: Person, played: Sequence[JudgedPrompt], output: Path) -> None:
    rows = [row for kind in SUBJECTS for row in backend.statistics(kind)]
    for lines in (
        report.branch_lines(played, person),
        report.saving_lines(played, person),
        report.learned_lines(rows, list(COLORS), person),
    ):
        print("\n" + "\n".join(lines))
    if backend.has_images:
        title = f"Context Checkpoint: {len(played)} prompts of four kinds, run by a real ComfyUI"
    else:
        title = f"Context Checkpoint: {len(played)} prompts, LEARNING CORE ONLY, no images"
    sheet = contact_sheet.save(played, COLORS, title, output / "contact-sheet.png")
    print(f"\nContact sheet: {sheet}")


def _stay_open(backend: Backend, address: str) -> None:
    if isinstance(backend, CoreBackend):
        from ..api.standalone import serve

        def announce(url: str) -> None:
            print(f"What was learned: {url}   (Ctrl-C ends)", flush=True)

        asyncio.run(serve(backend.runtime, host="127.0.0.1", port=0, announce=announce))
        return
    print(f"ComfyUI stays open at {address}   (Ctrl-C ends)", flush=True)
    while True:
        time.sleep(1)
