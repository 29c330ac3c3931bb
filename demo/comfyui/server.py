"""A real ComfyUI server with the pack, in a base directory of its own, used over HTTP.

The demonstration, the end-to-end tests and the benchmarks share it. It owns one process and one folder, and only reads
the ComfyUI that it runs. It knows nothing about the graphs.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .installation import PACK, ComfyInstallation, NoComfyUI, find_comfyui, overlay

__all__ = [
    "ComfyServer",
    "NoComfyUI",
    "Picture",
    "PromptFailed",
    "Refused",
    "find_comfyui",
]

Graph = Mapping[str, Mapping[str, Any]]
"""A prompt in ComfyUI's API form: node id to `class_type` and `inputs`."""

HistoryEntry = dict[str, Any]

# On Linux the server ends when we do, however we end: 1 is PR_SET_PDEATHSIG, which survives execv.
UNTIL_PARENT_ENDS = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 15.0


class Refused(Exception):
    """The server responded with an error status; `status` and `body` (parsed if it was JSON) have the details."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"HTTP {status}: {body}")
        self.status = status
        self.body = body


class PromptFailed(Exception):
    """A prompt ended with an error; `entry` is its history."""

    def __init__(self, message: str, entry: HistoryEntry) -> None:
        super().__init__(message)
        self.entry = entry


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of a finished prompt: its node, its file, its pixels `[H, W, 3]` in 0..255."""

    node_id: str
    filename: str
    subfolder: str
    type: str
    pixels: NDArray[np.uint8]

    @property
    def mean_color(self) -> tuple[float, float, float]:
        """Red, green and blue in 0..1, which identifies the tiny checkpoint that made it."""
        red, green, blue = self.pixels.reshape(-1, 3).mean(axis=0) / 255
        return float(red), float(green), float(blue)


class ComfyServer:
    """Start with `with ComfyServer(folder) as server`, or by `start()` and `stop()`.

    Parameters
    ----------
    base_directory
        Gets `models`, `custom_nodes`, `user`, `output` and ComfyUI's own database; kept afterwards.
    extra_args
        Further flags for ComfyUI's command line, such as `--cache-classic`.
    pack_name
        The pack's folder under `custom_nodes`; any name must do. None: the base directory has a pack already, and
        ComfyUI's Python all that it requires.
    environment
        Variables to add for the server, or to remove (None).
    """

    def __init__(
        self,
        base_directory: Path,
        extra_args: Sequence[str] = (),
        *,
        installation: ComfyInstallation | None = None,
        pack_name: str | None = "Context Checkpoint-main",
        environment: Mapping[str, str | None] | None = None,
    ) -> None:
        installation = installation or find_comfyui()
        if installation is None:
            raise NoComfyUI("No ComfyUI was found: set COMFYUI_PATH to its folder.")
        self.installation = installation
        self.base_directory = base_directory.resolve()
        self.port = free_port()
        self._extra_args = tuple(extra_args)
        required = None if pack_name is None else overlay(installation)
        self.environment = _environment(required, environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._log_file = self.base_directory / "comfyui.log"
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        for folder in ("models/loras", "input", "output", "user"):
            (self.base_directory / folder).mkdir(parents=True, exist_ok=True)
        if pack_name is not None:
            _place_pack(self.base_directory / "custom_nodes" / pack_name)

    @property
    def checkpoints(self) -> Path:
        """The folder whose files ComfyUI offers as checkpoints; may be filled before or after the start."""
        return self.base_directory / "models" / "checkpoints"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything the server has printed since it was first started."""
        try:
            return self._log_file.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    @property
    def pid(self) -> int:
        """The process's id, while it runs.

        Raises
        ------
        RuntimeError
            If it does not run.
        """
        if self._process is None:
            raise RuntimeError("The ComfyUI server is not running: start() it first.")
        return self._process.pid

    def start(self) -> ComfyServer:
        """Start the process and wait until it responds.

        Raises
        ------
        NoComfyUI
            If it ends, or does not respond in time; the message has the end of its log.
        """
        bound = ["-c", UNTIL_PARENT_ENDS] if sys.platform == "linux" else []
        command = [
            str(self.installation.python),
            *bound,
            str(self.installation.path / "main.py"),
            "--cpu",
            "--listen",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--disable-auto-launch",
            "--disable-api-nodes",
            "--base-directory",
            str(self.base_directory),
            "--database-url",
            f"sqlite:///{(self.base_directory / 'comfyui.db').as_posix()}",
            *self._extra_args,
        ]  # fmt: skip - one flag and its value after another
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.base_directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for this process, which then stops the server
            )
        self._wait_until_up(self._process)
        return self

    def _wait_until_up(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                self._process = None
                raise NoComfyUI(f"ComfyUI ended while starting (exit {process.returncode}):\n{self.log[-3000:]}")
            try:
                self.get("/system_stats", timeout_s=5)
            except (OSError, Refused):
                time.sleep(0.1)
            else:
                return
        self.kill()
        raise NoComfyUI(f"ComfyUI did not respond within {START_TIMEOUT_S:.0f} s:\n{self.log[-3000:]}")

    def stop(self) -> None:
        """Stop the process; nothing happens if it does not run."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """Kill the process, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> ComfyServer:
        """Stop it and start it again in the same folder, at the same address."""
        self.stop()
        return self.start()

    def __enter__(self) -> ComfyServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def request(self, method: str, path: str, body: Any = None, *, timeout_s: float = 60.0) -> bytes:
        """Send one request, with a JSON body if one is given.

        Raises
        ------
        Refused
            If the status is 400 or more.
        OSError
            If no server responds.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - own server
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, _parsed(error.read())) from None

    def get(self, path: str, *, timeout_s: float = 60.0) -> Any:
        return _parsed(self.request("GET", path, timeout_s=timeout_s))

    def post(self, path: str, body: Any, *, timeout_s: float = 60.0) -> Any:
        return _parsed(self.request("POST", path, body, timeout_s=timeout_s))

    def post_prompt(self, graph: Graph, client_id: str | None = None) -> str:
        """Queue a graph and return its prompt id; a graph that does not validate raises `Refused`."""
        body = {"prompt": graph, "client_id": client_id or uuid.uuid4().hex}
        return str(self.post("/prompt", body)["prompt_id"])

    def wait(self, prompt_id: str, *, timeout_s: float = 120.0) -> HistoryEntry:
        """Wait until a prompt has ended, successfully or not, and return its history.

        Raises
        ------
        TimeoutError
            If it does not end in time.
        ConnectionError
            If the server ended; the message has the end of its log.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                history = self.get(f"/history/{prompt_id}")
            except OSError as error:
                raise ConnectionError(f"ComfyUI no longer responds ({error}):\n{self.log[-3000:]}") from error
            if prompt_id in history:
                entry: HistoryEntry = history[prompt_id]
                return entry
            time.sleep(0.02)
        raise TimeoutError(f"The prompt did not end within {timeout_s:.0f} s:\n{self.log[-3000:]}")

    def run(self, graph: Graph, client_id: str | None = None, *, timeout_s: float = 120.0) -> HistoryEntry:
        """Queue a graph, wait for it, and return its history.

        Raises
        ------
        PromptFailed
            If it ended with an error or was interrupted.
        """
        entry = self.wait(self.post_prompt(graph, client_id), timeout_s=timeout_s)
        if entry["status"]["status_str"] != "success":
            raise PromptFailed(error_message(entry), entry)
        return entry

    def images(self, entry: HistoryEntry, node_id: str | None = None) -> list[Picture]:
        """Fetch the images of a finished prompt (of one node, if given), in the nodes' own order."""
        return [
            Picture(node, file["filename"], file["subfolder"], file["type"], self.pixels(file))
            for node, file in _image_files(entry)
            if node_id in (None, node)
        ]

    def pixels(self, file: Mapping[str, Any]) -> NDArray[np.uint8]:
        """Fetch one image by its `filename`, `subfolder` and `type`, as `[H, W, 3]` in 0..255."""
        from PIL import Image  # late: only this needs Pillow

        query = urllib.parse.urlencode({key: file[key] for key in ("filename", "subfolder", "type")})
        with Image.open(io.BytesIO(self.request("GET", f"/view?{query}"))) as image:
            return np.asarray(image.convert("RGB"))


def _image_files(entry: HistoryEntry) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for node, output in entry["outputs"].items():
        for file in output.get("images", ()):
            yield node, file
        for recorded in output.get("context_checkpoint", ()):
            for file in recorded.get("images", ()):
                yield node, file


def error_message(entry: HistoryEntry) -> str:
    """Return the node and the message of a failed prompt; empty if nothing failed."""
    for kind, detail in entry["status"]["messages"]:
        if kind == "execution_error":
            return f"{detail['node_type']} ({detail['node_id']}): {detail['exception_message']}"
        if kind == "execution_interrupted":
            return f"interrupted in {detail['node_type']} ({detail['node_id']})"
    return ""


def duration_s(entry: HistoryEntry) -> float:
    """How long a prompt ran, by the server's own clock."""
    times = {kind: detail["timestamp"] for kind, detail in entry["status"]["messages"] if "timestamp" in detail}
    return float(times["execution_success"] - times["execution_start"]) / 1000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", errors="replace")


def _environment(required: Path | None, changes: Mapping[str, str | None]) -> dict[str, str]:
    """Our environment without the variables that point to another Python's packages or to a person's database."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "VIRTUAL_ENV")}
    inherited.pop("CONTEXT_CHECKPOINT_DATABASE", None)
    inherited["PYTHONPATH"] = str(required or "")
    inherited["PYTHONUNBUFFERED"] = "1"
    # Spinning threads make two servers on two cores five times slower than one after the other.
    inherited.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return {name: value for name, value in {**inherited, **changes}.items() if value is not None}


def _place_pack(link: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.exists():
        return
    try:
        link.symlink_to(PACK, target_is_directory=True)
    except OSError:  # Windows lets only some users create links
        left_out = shutil.ignore_patterns(".*", "__pycache__", "demo-output", "test-output", "node_modules")
        shutil.copytree(PACK, link, ignore=left_out)
