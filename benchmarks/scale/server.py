"""A PostgreSQL of our own for the measurement: in a fresh folder, on a free port, gone afterwards.

As it is tuned by default, but for `synchronous_commit`, which stays on: a verdict is acknowledged on disk.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from context_checkpoint.demo.comfyui.server import free_port


def programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`, which Debian keeps off the path; None where there is none."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@dataclass(frozen=True, slots=True)
class Server:
    """A server of our own; `folder` has its socket and its data."""

    programs: Path
    folder: Path
    port: int
    user: str | None
    """PostgreSQL refuses to run as root; Debian's package makes a user for it."""

    @property
    def address(self) -> str:
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/taught"

    def run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            user=self.user,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", log, "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """`fast` ends every session, `immediate` does not even write down what is in memory."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def kill(self) -> None:
        """As a crash of the machine's operating system would end it (`kill -9`)."""
        main_process = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(main_process, signal.SIGKILL)
        while Path(f"/proc/{main_process}").exists():
            time.sleep(0.01)


@contextmanager
def running(where: Path) -> Iterator[Server]:
    """A server with an empty database, until the end."""
    folder = Path(tempfile.mkdtemp(prefix="cc-scale-"))  # a socket's path may have about 100 characters
    user = "postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    own = Server(where, folder, free_port(), user)
    try:
        own.run("initdb", "-D", str(folder / "data"), "-U", "postgres", "--auth=trust", "-E", "UTF8")
        own.start()
        try:
            own.run("createdb", "-h", str(folder), "-p", str(own.port), "-U", "postgres", "taught")
            yield own
        finally:
            own.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server(where: Path) -> Iterator[str]:
    """The address of an empty database, while it runs."""
    with running(where) as own:
        yield own.address
