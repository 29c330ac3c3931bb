"""A PostgreSQL of our own for the measurement: in a fresh folder, on a free port, gone afterwards.

As it is tuned by default, but for `synchronous_commit`, which stays on: a verdict is acknowledged on disk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from context_checkpoint.demo.comfyui.server import free_port


def programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`, which Debian keeps off the path; None where there is none."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def server(where: Path) -> Iterator[str]:
    """The address of an empty database, while it runs."""
    folder = Path(tempfile.mkdtemp(prefix="cc-scale-"))  # a socket's path may have about 100 characters
    # PostgreSQL refuses to run as root; Debian's package makes a user for it.
    user = "postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    port, data = free_port(), str(folder / "data")

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(where / program), *arguments],
            user=user,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    try:
        run("initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8")
        options = f"-p {port} -k {folder} -h 127.0.0.1"
        run("pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            run("createdb", "-h", str(folder), "-p", str(port), "-U", "postgres", "taught")
            yield f"postgresql+asyncpg://postgres@127.0.0.1:{port}/taught"
        finally:
            run("pg_ctl", "-D", data, "-m", "fast", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
