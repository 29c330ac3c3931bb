"""`python -m context_checkpoint`, or `python custom_nodes/<the pack's folder>`: the same as `context-checkpoint`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def _import_as_package() -> None:
    """Import this folder under the package's name, whatever its own is: Python was given the folder to run."""
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != folder]  # `nodes` is ComfyUI's name
    spec = importlib.util.spec_from_file_location(
        "context_checkpoint", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None  # noqa: S101 - of a file that exists
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)


if __package__:
    from .cli.app import main
else:
    _import_as_package()
    from context_checkpoint.cli.app import main

sys.exit(main())
