"""The pack in each form that people get it in, installed into a ComfyUI that never saw it.

ComfyUI's Python is layered: pip sees all that ComfyUI has, and installs what the pack requires into a folder of the
test. Nothing of this tree is on its path.
"""

from __future__ import annotations

import http.server
import json
import re
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from context_checkpoint.demo.comfyui.installation import ComfyInstallation, NoComfyUI, overlay
from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints
from tests.packing import make_zip, packed_files, run

from .test_documented_nodes import NODES

pytestmark = pytest.mark.timeout(900)  # pip is started a dozen times, on a machine that may do more

FOLDER = "context-checkpoint"
NAMES = ("amber.safetensors", "jade.safetensors", "violet.safetensors")

INSTALL_AS_THE_MANAGER_DOES = """
import os, sys
custom_nodes, registry = sys.argv[1:]
sys.path.append(os.environ["COMFYUI_PATH"])
import folder_paths
folder_paths.set_user_directory(custom_nodes + "/../user")  # else it writes into ComfyUI's own
from cm_cli.__main__ import cnr_utils, core, manager_util, unified_manager  # with its list of what not to install

manager_util.get_pip_cmd = lambda force_uv=False: [sys.executable, "-m", "pip"]  # it tries that for 5 s, then gives up
cnr_utils.base_url, core.default_custom_nodes_path = registry, custom_nodes
done = unified_manager.cnr_install("context-checkpoint", "0.1.0", instant_execution=True)
print(done.msg)
sys.exit(not done.result)
"""


def layered(installation: ComfyInstallation, folder: Path) -> ComfyInstallation:
    """A Python that has all that ComfyUI's has, and a place of its own for what pip installs."""
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    below = run(installation.python, "-c", where).strip()
    run(installation.python, "-m", "venv", "--without-pip", folder)
    python = next(folder / name for name in ("bin/python", "Scripts/python.exe") if (folder / name).exists())
    own = Path(run(python, "-c", where).strip())
    (own / "below.pth").write_text(f"import site; site.addsitedir({below!r})\n", encoding="utf-8")
    return ComfyInstallation(installation.path, python, installation.version)


@pytest.fixture(scope="module")
def with_requirements(
    comfy_installation: ComfyInstallation, cloned: Path, tmp_path_factory: pytest.TempPathFactory
) -> ComfyInstallation:
    """A ComfyUI whose Python got `requirements.txt`, as the readme says."""
    installation = layered(comfy_installation, tmp_path_factory.mktemp("python"))
    run(installation.python, "-m", "pip", "install", "--quiet", "-r", cloned / "requirements.txt")
    return installation


Installer = Callable[[Path, pytest.FixtureRequest, Path], ComfyInstallation]
"""Puts the pack into a `custom_nodes` folder, and returns the ComfyUI to run it with; the last is a free folder."""


def by_wheel(custom_nodes: Path, request: pytest.FixtureRequest, scratch: Path) -> ComfyInstallation:
    """`pip install`, and a link to the installed package."""
    (wheel,) = request.getfixturevalue("built").glob("*.whl")
    installation = layered(request.getfixturevalue("comfy_installation"), scratch)
    run(installation.python, "-m", "pip", "install", "--quiet", wheel)
    place = "import context_checkpoint; print(context_checkpoint.__path__[0])"
    package = Path(run(installation.python, "-c", place, cwd=scratch).strip())
    assert package.is_relative_to(scratch)
    (custom_nodes / FOLDER).symlink_to(package, target_is_directory=True)
    return installation


def by_sdist(custom_nodes: Path, request: pytest.FixtureRequest, scratch: Path) -> ComfyInstallation:
    """Unpacked, under the name that it has inside, which is no module's."""
    (sdist,) = request.getfixturevalue("built").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(custom_nodes, filter="data")
    return request.getfixturevalue("with_requirements")


def by_clone(custom_nodes: Path, request: pytest.FixtureRequest, scratch: Path) -> ComfyInstallation:
    """A clone with all that is in the repository."""
    cloned = request.getfixturevalue("cloned")
    run("git", "clone", "--quiet", cloned, custom_nodes / FOLDER)
    run("git", "checkout-index", "--all", "--force", f"--prefix={custom_nodes / FOLDER}/", cwd=cloned)
    return request.getfixturevalue("with_requirements")


def by_zip(custom_nodes: Path, request: pytest.FixtureRequest, scratch: Path) -> ComfyInstallation:
    """By ComfyUI-Manager's own code, in the version that this ComfyUI names, from what stands for the registry."""
    stock = request.getfixturevalue("comfy_installation")
    try:
        manager = overlay(stock, stock.path / "manager_requirements.txt")
    except (NoComfyUI, OSError) as problem:
        pytest.skip(f"NOT TRIED: ComfyUI-Manager. {problem}")
    cloned = request.getfixturevalue("cloned")
    installation = layered(stock, scratch / "python")
    # Wide, because its lines would be broken at 80 characters.
    environment = {"COMFYUI_PATH": str(stock.path), "PYTHONPATH": str(manager), "COLUMNS": "9999"}
    with registry_of(make_zip(cloned, scratch / "node.zip")) as address:
        command = (installation.python, "-c", INSTALL_AS_THE_MANAGER_DOES, custom_nodes, address)
        said = run(*command, cwd=scratch, environment=environment)
    executed = re.findall(r"EXECUTE => \[(.*)\]", said)
    assert [line for line in executed if "'aiosqlite>=0.20,<1'" in line]
    assert "'install.py'" in executed[-1]
    assert "this Python lacks" not in said
    tracked = (custom_nodes / FOLDER / ".tracking").read_text("utf-8").splitlines()
    assert sorted(tracked) == packed_files(cloned)
    return installation


@contextmanager
def registry_of(file: Path) -> Iterator[str]:
    """Serve a zip, and what the registry answers to whoever wants to install it."""
    answer = file.parent / "nodes" / FOLDER / "install"
    answer.parent.mkdir(parents=True)
    serve = partial(http.server.SimpleHTTPRequestHandler, directory=str(file.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as registry:
        address = f"http://127.0.0.1:{registry.server_port}"
        answer.write_text(json.dumps({"id": "1", "version": "0.1.0", "downloadUrl": f"{address}/{file.name}"}))
        threading.Thread(target=registry.serve_forever, daemon=True).start()
        yield address
        registry.shutdown()


INSTALLERS = {"wheel": by_wheel, "sdist": by_sdist, "zip": by_zip, "clone": by_clone}


@pytest.fixture(scope="module", params=INSTALLERS)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyServer]:
    """A server whose only pack is ours, installed in one of the ways, with three checkpoints."""
    base = tmp_path_factory.mktemp("comfyui")
    (base / "custom_nodes").mkdir()
    scratch = tmp_path_factory.mktemp(str(request.param))
    installation = INSTALLERS[request.param](base / "custom_nodes", request, scratch)
    server = ComfyServer(base, installation=installation, pack_name=None)
    for seed, name in enumerate(NAMES):
        tiny_checkpoints.write(server.checkpoints / name, "sd3", color=(0.2 + 0.3 * seed, 0.5, 0.5), seed=seed)
    with server:
        yield server


def test_everything_that_comfyui_takes_from_a_pack_is_there(installed: ComfyServer, cloned: Path) -> None:
    """Nodes, scripts, help pages, example workflows, subgraphs and texts, each fetched as ComfyUI's page does."""
    (pack,) = [path.name for path in (installed.base_directory / "custom_nodes").iterdir() if path.is_dir()]

    assert set(NODES) <= set(installed.get("/object_info"))
    assert f"/extensions/{pack}/context_checkpoint.js" in installed.get("/extensions")
    for name in packed_files(cloned):
        if name.startswith("web/"):
            assert installed.request("GET", f"/extensions/{pack}/{name.removeprefix('web/')}"), name
    examples = sorted(path.stem for path in (cloned / "example_workflows").glob("*.json"))
    assert sorted(installed.get("/workflow_templates")[pack]) == examples
    for name in examples:
        assert installed.get(f"/api/workflow_templates/{pack}/{name}.json")["nodes"]
        assert installed.request("GET", f"/api/workflow_templates/{pack}/{name}.jpg")
    blueprints = [one["name"] for one in installed.get("/global_subgraphs").values() if one["source"] == "custom_node"]
    assert sorted(blueprints) == sorted(path.stem for path in (cloned / "subgraphs").glob("*.json"))
    texts = installed.get("/i18n")
    for language in ("en", "zh", "ja"):
        for file in (cloned / "locales" / language).glob("*.json"):
            expected = json.loads(file.read_text("utf-8"))
            shown = texts[language] if file.stem == "main" else texts[language][file.stem]
            assert expected.items() <= shown.items()


def test_a_round_is_recommended_drawn_judged_and_learned(installed: ComfyServer) -> None:
    """Three checkpoints draw, one is selected, and the next advice puts it first."""
    entry = installed.run(three_nodes("a lighthouse", images=3, size=64))
    (shown,) = generations(entry)
    drawn = [image["checkpoint"] for image in shown["images"]]
    best = drawn.index(NAMES[1])
    verdict = {"selected_images": [best], "rejected_images": [place for place in range(3) if place != best]}
    installed.post("/context_checkpoint/feedback", {"generation_id": shown["generation_id"], **verdict})
    advice = installed.post("/context_checkpoint/recommend", {"prompt": "a lighthouse"})

    assert sorted(drawn) == sorted(NAMES)
    assert advice["checkpoints"][0] == NAMES[1]
