"""The example script and the shell script of docs/api.md, as they are, against a real ComfyUI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from context_checkpoint.demo.comfyui.pack_graph import three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints

from .conftest import other_checkpoints

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "api.md"
SCRIPT = ROOT / "example_workflows" / "api_script.py"
NAMES = ("amber.safetensors", "jade.safetensors", "violet.safetensors")


def test_the_script_teaches_its_favourite_and_sees_the_plan_change(comfy: ComfyServer) -> None:
    """Three checkpoints in the first round, the favourite alone in the last."""
    with other_checkpoints(comfy) as folder:
        for seed, name in enumerate(NAMES):
            tiny_checkpoints.write(folder / name, "sd3", color=(0.2 + 0.3 * seed, 0.5, 0.5), seed=seed)
        done = subprocess.run(
            [sys.executable, "-I", "-W", "error", str(SCRIPT), "--server", comfy.url, "--size", "128", "--steps", "4"],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    assert (done.returncode, done.stderr) == (0, "")
    *rounds, plan, explanation = done.stdout.splitlines()
    assert rounds[0].split(maxsplit=3)[3] == ", ".join(NAMES)
    assert rounds[-1].split()[1:] == ["exploit", rounds[-1].split()[2], NAMES[-1]]
    assert plan.split()[1] == "exploit"
    assert NAMES[-1] in plan
    assert NAMES[-1].removesuffix(".safetensors") in explanation


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the script needs curl and jq")
def test_the_shell_script_judges_the_newest_run(comfy: ComfyServer) -> None:
    """Of two runs the second, and what it is asked afterwards rests on that verdict."""
    (script,) = re.findall(r"^```sh\n(server=.*?)^```$", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for prompt in ("a castle on a hill", "portrait of a sailor"):
        comfy.run(three_nodes(prompt, images=3))

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=os.environ | {"COMFYUI_URL": comfy.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "portrait" in done.stdout.splitlines()[-1]
    newest, older = comfy.get("/context_checkpoint/generations")["generations"]
    assert [image["verdict"] for image in newest["images"]] == ["selected", *["rejected"] * (len(newest["images"]) - 1)]
    assert older["judged_at"] is None
