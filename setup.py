"""What `pyproject.toml` cannot say of the wheel and the sdist: which modules to leave out, and the page on PyPI.

PyPI shows README.md away from its files, so its relative links are made absolute there.
"""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
NOT_INSTALLED = {"noxfile", "run", "setup"}
"""Modules beside the package's own, since its folder is the repository's."""

LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?!https?:|mailto:|#)(?P<path>[^)\s]+)")


class BuildPackage(build_py):
    """Builds the package without the modules that only a clone has a use for."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        modules = super().find_package_modules(package, package_dir)
        return [module for module in modules if module[1] not in NOT_INSTALLED or package != "context_checkpoint"]


def page_on_pypi() -> str:
    """README.md with links to the repository that `pyproject.toml` names."""
    repository = re.search(r'^Repository = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    address = repository[1] if repository else ""

    def absolute(link: re.Match[str]) -> str:
        kind = "raw" if link["picture"] else "blob"
        return f"{link['picture']}[{link['text']}]({address}/{kind}/main/{link['path']}"

    return LINK.sub(absolute, (ROOT / "README.md").read_text("utf-8"))


setup(
    long_description=page_on_pypi(), long_description_content_type="text/markdown", cmdclass={"build_py": BuildPackage}
)
