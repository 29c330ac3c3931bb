"""The demonstration from beginning to end: find or install a ComfyUI, play the rounds, tell, stay open."""

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

from . import contact_sheet, story
from .comfyui import private_install as private_comfyui
from .comfyui.installation import PACK, ComfyInstallation, NoComfyUI, find_comfyui
from .comfyui.server import ComfyServer
from .person import SUBJECTS, Person
from .story import Played
from .studios import COLORS, ComfyStudio, CoreStudio, Studio
from .tiny_models.checkpoints import write

CORE_ONLY = "LEARNING CORE ONLY: the same decisions and the same database, but no ComfyUI and no pictures."


def main(argv: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(argv)
    for ending in (signal.SIGTERM, signal.SIGINT):  # a shell's background jobs start with SIGINT ignored
        signal.signal(ending, signal.default_int_handler)
    started = time.monotonic()
    output = chosen.output.resolve()
    try:
        with _studio(chosen, output) as (studio, address):
            person = Person(list(COLORS), seed=chosen.seed)
            played = play(studio, person, chosen.prompts)
            _tell(studio, person, played, output)
            print(f"That took {time.monotonic() - started:.0f} s.")
            if chosen.serve:
                _stay_open(studio, address)
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
def _studio(chosen: argparse.Namespace, output: Path) -> Iterator[tuple[Studio, str]]:
    """Open a studio that has learned nothing yet: in a ComfyUI if there is one, else on the core alone."""
    folder = output / "studio"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    installation = None if chosen.core_only else _installation(install=chosen.yes)
    if installation is None:
        print(f"\n{CORE_ONLY}\n")
        core = CoreStudio(folder)
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
        yield ComfyStudio(server), server.url


def _installation(*, install: bool) -> ComfyInstallation | None:
    try:
        found = find_comfyui()
        if found is None and private_comfyui.offer(accepted=install):
            found = private_comfyui.install()
    except NoComfyUI as problem:
        print(f"{problem}\nThe demonstration goes on without a ComfyUI.")
        return None
    if found is not None and not found.recent_enough:
        print(f"ComfyUI {found.version} in {found.path} is too old. The demonstration goes on without it.")
        return None
    return found


def play(studio: Studio, person: Person, prompts: int) -> list[Played]:
    """Wish, look, judge, as often as asked."""
    played: list[Played] = []
    for number, wish in enumerate(person.wishes(prompts), start=1):
        drawn = studio.draw(wish)
        verdict = person.judge(wish.kind, drawn.drawn_by)
        studio.judge(drawn.generation_id, verdict)
        played.append(Played(wish, drawn, verdict))
        _show_progress(number, prompts, played[-1])
    return played


def _show_progress(number: int, prompts: int, last: Played) -> None:
    filled = round(24 * number / prompts)
    bar = f"[{'#' * filled}{'.' * (24 - filled)}] {number:>3}/{prompts}"
    now = f"{last.wish.kind:<9} confidence {last.drawn.confidence:.2f}  branches: {last.branches}"
    if sys.stdout.isatty():
        print(f"\r{bar}  {now}", end="\n" if number == prompts else "", flush=True)
    elif number % 10 == 0 or number == prompts:
        print(f"{bar}  {now}", flush=True)


def _tell(studio: Studio, person: Person, played: Sequence[Played], output: Path) -> None:
    rows = [row for kind in SUBJECTS for row in studio.learned(kind)]
    for lines in (
        story.branch_lines(played, person),
        story.saving_lines(played, person),
        story.learned_lines(rows, list(COLORS), person),
    ):
        print("\n" + "\n".join(lines))
    if studio.draws_pictures:
        title = f"Context Checkpoint: {len(played)} prompts of four kinds, drawn by a real ComfyUI"
    else:
        title = f"Context Checkpoint: {len(played)} prompts, LEARNING CORE ONLY, nothing was drawn"
    sheet = contact_sheet.save(played, COLORS, title, output / "contact-sheet.png")
    print(f"\nContact sheet: {sheet}")


def _stay_open(studio: Studio, address: str) -> None:
    if isinstance(studio, CoreStudio):
        from ..api.standalone import serve

        def announce(url: str) -> None:
            print(f"What was learned: {url}   (Ctrl-C ends)", flush=True)

        asyncio.run(serve(studio.runtime, host="127.0.0.1", port=0, announce=announce))
        return
    print(f"ComfyUI stays open at {address}   (Ctrl-C ends)", flush=True)
    while True:
        time.sleep(1)
