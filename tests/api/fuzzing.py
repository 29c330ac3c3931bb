"""Schemathesis against the real server: requests made from the OpenAPI description, and what they lead to.

Not a test of the suite, because Schemathesis is not among its tools: `python run.py fuzz` installs it.
Afterwards the server must answer, have grown by little, and hold statistics that are those of its log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from context_checkpoint.api.routes import PREFIX
from context_checkpoint.learning import PreferenceService

HERE = Path(__file__).parent
PROGRAM = Path(sys.executable).with_name("schemathesis")
ROUNDS = 40
MOST_GROWTH_MB = 120
NAMES = ["epicrealismXL.safetensors", "dreamShaperXL.safetensors", "juggernautXL.safetensors"]
# A request may fit its schema and yet be refused: no such policy or generation, every candidate banned.
LEFT_OUT = "positive_data_acceptance"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-examples", default="50", help="per operation and phase")
    options, rest = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "preferences.db"
        asyncio.run(teach(database))
        with serving(database) as server:
            assert server.stdout is not None
            (address,) = re.findall(r"http://\S+", server.stdout.readline())
            routes = address.rstrip("/") + PREFIX
            try:
                before = resident_mb(server.pid)
                fuzzed = subprocess.run(
                    [
                        *(str(PROGRAM), "--config-file", str(HERE / "schemathesis.toml")),
                        *("run", f"{routes}/openapi.json"),
                        *("--exclude-checks", LEFT_OUT, "--max-examples", options.max_examples),
                        *("--continue-on-failure", "--no-color", *rest),
                    ],
                    env={**os.environ, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "schemathesis_hooks"},
                    cwd=folder,  # it writes its findings into the folder that it runs in
                    check=False,
                )
                with urllib.request.urlopen(f"{routes}/health", timeout=10) as health:  # noqa: S310
                    generations = json.load(health)["generations"]
                grown = resident_mb(server.pid) - before
            finally:
                server.terminate()
        corrected = asyncio.run(rebuild(database))
    summary = f"it holds {generations} generations and has grown by {grown:.0f} MB; {corrected} sums were wrong"
    print(f"Afterwards the server answers: {summary}.")  # noqa: T201
    return int(bool(fuzzed.returncode or corrected or grown > MOST_GROWTH_MB))


def serving(database: Path) -> subprocess.Popen[str]:
    images = database.parent / "output"  # what a request that names no root means
    images.mkdir()
    (images / "cut short.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    command = [
        sys.executable,
        "-m",
        "context_checkpoint",
        "serve",
        "--port",
        "0",
        "--database",
        str(database),
        "--images",
        str(images),
    ]
    environment = {**os.environ, "HOME": str(database.parent), "COMFYUI_PATH": str(database.parent)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


async def teach(database: Path) -> None:
    service = await PreferenceService.open(database)
    for number in range(ROUNDS):
        recommendation = await service.recommend(f"anime girl, word {number % 7}", NAMES, stage="draft")
        generation_id = await service.log_generation(recommendation, dict.fromkeys(NAMES, 1))
        await service.record_feedback(generation_id, selected_images=[number % 3])
    await service.close()


async def rebuild(database: Path) -> int:
    service = await PreferenceService.open(database)
    try:
        return (await service.rebuild()).corrected
    finally:
        await service.close()


def resident_mb(pid: int) -> float:
    """0 where it is not Linux."""
    try:
        content = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0.0
    return int(re.findall(r"VmRSS:\s+(\d+)", content)[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
