"""What ComfyUI's start loads of the pack: people have dozens of packs, and wait for each of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from context_checkpoint.demo.comfy_installation import ComfyInstallation
from context_checkpoint.demo.comfy_server import ComfyServer

LOADED_BY_A_START = """
import json, sys
folder, base = sys.argv[1:3]
sys.path.insert(0, folder)
sys.argv = [folder + "/main.py", "--cpu", "--base-directory", base, "--disable-api-nodes",
            "--database-url", "sqlite:///:memory:"]
import main, nodes

load = nodes.load_custom_node

def packages_in(module):
    for value in vars(module).values():
        home = getattr(value, "__module__", None) or getattr(value, "__name__", None)
        yield str(home).partition(".")[0]

async def watched(path, *rest, **more):
    before = set(sys.modules)
    loaded = await load(path, *rest, **more)
    if "custom_nodes" in path:
        added = {name: sorted(set(packages_in(sys.modules[name]))) for name in set(sys.modules) - before}
        print("LOADED " + json.dumps({"loaded": loaded, "added": added}), flush=True)
    return loaded

nodes.load_custom_node = watched
main.start_comfyui()
"""

PYTHONS_OWN = frozenset(sys.stdlib_module_names)
LATE = {"pydantic", "pydantic_core", "sqlalchemy", "alembic", "aiosqlite"}
"""What takes long to import or to make use of: it loads with the first request or the first run."""


def test_a_start_loads_nodes_and_addresses_and_nothing_that_can_wait(
    comfy_installation: ComfyInstallation, tmp_path: Path
) -> None:
    """Beside the pack's own modules only Python's; and no schema, no table and no policy among the pack's."""
    server = ComfyServer(tmp_path, installation=comfy_installation)

    done = subprocess.run(
        [
            str(comfy_installation.python),
            "-c",
            LOADED_BY_A_START,
            str(comfy_installation.path),
            str(tmp_path),
        ],
        env=server.environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    (line,) = [line for line in done.stdout.splitlines() if line.startswith("LOADED ")]
    told = json.loads(line.removeprefix("LOADED "))
    assert told["loaded"] is True
    pack = {name: used for name, used in told["added"].items() if "Context Checkpoint-main" in name}
    assert any(name.endswith("nodes.recommender") for name in pack)
    assert {name.partition(".")[0] for name in set(told["added"]) - set(pack)} <= PYTHONS_OWN
    assert {name: sorted(LATE & set(used)) for name, used in pack.items() if LATE & set(used)} == {}
    policies = {name.rpartition(".")[2] for name in pack if ".learning.policies." in name}
    assert policies <= {"contract"}
