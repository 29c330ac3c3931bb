"""What a client sends costs the server no more memory than a bound, however long or however packed it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MOST_MB = 120
"""What the process may grow by; the bodies are several times as large."""

_SENDER = '''
import asyncio, sys, zlib
from pathlib import Path
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from context_checkpoint.api.addresses import PREFIX
from context_checkpoint.runtime import Runtime
from context_checkpoint.api.standalone import build_app

MB = 2**20

def grown():
    """The most that this process ever held; not what it inherited."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024

async def body(kind):
    header = b'{"format":"context-checkpoint","version":1,"database":"","generations":9,"anonymous":false}\\n'
    if kind == "one endless line":
        for _ in range(240):
            yield b"x" * MB
    elif kind == "many lines":
        yield header
        line = b'{"id":"' + b"0" * 32 + b'"}\\n'
        for _ in range(200):
            yield line * (MB // len(line))
    elif kind == "brackets":
        yield header
        for _ in range(100):
            yield b"[" * MB
    elif kind == "more than allowed":
        for _ in range(300):
            yield b"\\n" * MB
    elif kind == "packed":
        packer = zlib.compressobj(wbits=31)
        packed = b"".join(packer.compress(b"[" * MB) for _ in range(200)) + packer.flush()
        for start in range(0, len(packed), 65536):
            yield packed[start : start + 65536]

async def main(kind, folder):
    runtime = Runtime(Path(folder))
    try:
        async with TestClient(TestServer(build_app(runtime))) as http:
            async with http.get(PREFIX + "/health") as answer:
                assert answer.status == 200
            before = grown()
            headers = {"Content-Type": "application/jsonl"}
            if kind == "packed":
                headers["Content-Encoding"] = "gzip"
            for path in ("/import", *(["/recommend"] if kind == "packed" else [])):
                headers["Content-Type"] = "application/jsonl" if path == "/import" else "application/json"
                async with http.post(PREFIX + path, data=body(kind), headers=headers) as answer:
                    text = await answer.text()
                    print(answer.status, text[:150])
                    assert answer.status in (400, 413, 422), text
            async with http.get(PREFIX + "/health") as answer:
                assert (await answer.json())["generations"] == 0
            print("grew", grown() - before)
    finally:
        runtime.close()

asyncio.run(main(sys.argv[1], sys.argv[2]))
'''


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's account of memory")
@pytest.mark.parametrize("kind", ["one endless line", "many lines", "brackets", "more than allowed", "packed"])
def test_imports_cannot_exhaust_memory(tmp_path: Path, kind: str) -> None:
    """Hundreds of megabytes, and a few kilobytes that unpack to as many: refused, and little is held."""
    done = subprocess.run(
        [sys.executable, "-c", _SENDER, kind, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    grew = float(done.stdout.rsplit("grew", 1)[1])
    assert grew < MOST_MB, done.stdout
