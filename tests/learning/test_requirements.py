"""A required package that is missing, too old or broken: every way in says what to install."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from context_checkpoint.learning.requirements import missing_requirement

ROOT = Path(__file__).parents[2]

EVERY_WAY_IN = """
import asyncio, io, json, sys
from contextlib import redirect_stderr
from pathlib import Path

package, folder = sys.argv[1:]


class Hiding:  # as if the package were not installed
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hiding())

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from context_checkpoint.api.addresses import PREFIX
from context_checkpoint.api.lazy_routes import add_to
from context_checkpoint.cli import main
from context_checkpoint.learning.errors import StoreUnavailable
from context_checkpoint.learning.requirements import missing_requirement
from context_checkpoint.runtime import Runtime

said = {}

async def opened():
    from context_checkpoint.learning import PreferenceService
    await PreferenceService.open(folder + "/script.db")

async def answered():
    table = web.RouteTableDef()
    add_to(table, Runtime(Path(folder)), None)
    app = web.Application()
    app.add_routes(table)
    async with TestClient(TestServer(app)) as http, http.get(PREFIX + "/health") as response:
        return response.status, (await response.json())["error"]

async def awaited():
    from sqlalchemy.ext.asyncio import create_async_engine
    async with create_async_engine("sqlite+aiosqlite://").connect():
        pass

try:
    asyncio.run(opened())
except (StoreUnavailable, ImportError) as error:
    said["service"] = str(error)
said["status"], refused = asyncio.run(answered())
said["route"] = refused["message"]
with redirect_stderr(io.StringIO()) as printed:
    said["exit"] = main(["stats", "--database", folder + "/command.db"])
said["command"] = printed.getvalue()
if package == "greenlet":
    try:
        asyncio.run(awaited())
    except ImportError as error:
        said["sqlalchemy"] = str(missing_requirement(error))
    except ValueError as error:  # SQLAlchemy 2.0; the service never lets it come so far
        said["sqlalchemy"] = f"'greenlet' is not installed {error}"
print(json.dumps(said))
"""


@pytest.mark.parametrize("package", ["aiosqlite", "alembic", "greenlet", "sqlalchemy"])
def test_a_missing_package_is_named_by_every_way_in(package: str, tmp_path: Path) -> None:
    """A script, a route and the command line, in a Python that has all but one; none calls it a bug."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "context_checkpoint").symlink_to(ROOT, target_is_directory=True)

    done = subprocess.run(
        [sys.executable, "-c", EVERY_WAY_IN, package, str(tmp_path)],
        env={"PATH": "", "SYSTEMROOT": "C:\\Windows", "HOME": str(tmp_path), "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said.pop("status"), said.pop("exit")) == (503, 1)
    assert set(said) - {"sqlalchemy"} == {"service", "route", "command"}
    for way, text in said.items():
        assert f"'{package}' is not installed" in text, way
    for way in ("service", "route", "command"):
        assert "python -m pip install" in said[way]
        assert os.fspath(ROOT / "requirements.txt") in said[way] or package in said[way]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ModuleNotFoundError("No module named 'alembic'", name="alembic"), "'alembic' is not installed"),
        (ModuleNotFoundError("No module named 'asyncpg'", name="asyncpg"), r'"context-checkpoint\[postgres\]"'),
        (
            ImportError("cannot import name 'PoolResetState' from 'sqlalchemy.pool'", name="sqlalchemy.pool"),
            r"'sqlalchemy' cannot be used \(cannot import name .*--force-reinstall",
        ),
        (ModuleNotFoundError("No module named 'sqlalchemy.ext'", name="sqlalchemy.ext"), "'sqlalchemy' cannot be used"),
        (ImportError("DLL load failed while importing _greenlet"), r"cannot be used \(DLL load failed"),
    ],
    ids=["missing", "an extra", "too old", "half installed", "broken"],
)
def test_what_is_wrong_with_a_package_is_said_with_the_command_that_mends_it(error: ImportError, text: str) -> None:
    """Missing, too old, broken; a package that only an extra needs is named by the extra."""
    told = missing_requirement(error)

    assert told is not None
    assert told.code == "store_driver_missing"
    with pytest.raises(type(told), match=text):
        raise told


def test_the_package_is_found_where_an_error_has_no_name() -> None:
    """SQLAlchemy reports a missing greenlet with its cause the first time, and in its own words alone afterwards."""
    words = "The SQLAlchemy asyncio module requires that the Python '{}' library is installed."
    first, second = ImportError(words.format("greenlet")), ImportError(words.format("no_greenlet"))
    first.__cause__ = ModuleNotFoundError("No module named 'greenlet'", name="greenlet")

    assert "'greenlet' is not installed" in str(missing_requirement(first))
    assert "'no_greenlet' is not installed" in str(missing_requirement(second))


def test_a_module_of_this_pack_that_is_missing_is_no_requirement() -> None:
    """That is a bug, or an incomplete copy of the pack; pip cannot mend it."""
    name = "context_checkpoint.learning.service.nothing"

    assert missing_requirement(ModuleNotFoundError(f"No module named {name!r}", name=name)) is None
