"""What ComfyUI's start loads of the pack: people have dozens of packs, and wait for each of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from context_checkpoint.demo.comfyui.installation import ComfyInstallation
from context_checkpoint.demo.comfyui.start_probe import start_watched

WATCHED = """
import json

def packages_in(module):
    for value in vars(module).values():
        home = getattr(value, "__module__", None) or getattr(value, "__name__", None)
        yield str(home).partition(".")[0]

async def watched(path, *rest, **more):
    before = set(sys.modules)
    loaded = await load(path, *rest, **more)
    added = {name: sorted(set(packages_in(sys.modules[name]))) for name in set(sys.modules) - before}
    print("LOADED " + json.dumps({"loaded": loaded, "added": added}), flush=True)
    return loaded
"""

PYTHONS_OWN = frozenset(sys.stdlib_module_names)
LATE = {"pydantic", "pydantic_core", "sqlalchemy", "alembic", "aiosqlite"}
"""What takes long to import or to make use of: it loads with the first request or the first run."""


def test_a_start_loads_nodes_and_addresses_and_nothing_that_can_wait(
    comfy_installation: ComfyInstallation, tmp_path: Path
) -> None:
    """Beside the pack's own modules only Python's; and no schema, no table and no policy among the pack's."""
    said = start_watched(comfy_installation, tmp_path, WATCHED)

    (line,) = [line for line in said.splitlines() if line.startswith("LOADED ")]
    told = json.loads(line.removeprefix("LOADED "))
    assert told["loaded"] is True
    pack = {name: used for name, used in told["added"].items() if "Context Checkpoint-main" in name}
    assert any(name.endswith("nodes.recommender") for name in pack)
    assert {name.partition(".")[0] for name in set(told["added"]) - set(pack)} <= PYTHONS_OWN
    assert {name: sorted(LATE & set(used)) for name, used in pack.items() if LATE & set(used)} == {}
    policies = {name.rpartition(".")[2] for name in pack if ".learning.policies." in name}
    assert policies <= {"contract"}
