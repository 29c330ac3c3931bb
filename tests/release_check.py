"""`python run.py release-check`: what a release needs, as far as it can be known without GitHub, PyPI and the registry.

Prints one line for each check, `ok` or what to do next, and ends with 1 if anything is left to do. What is a test of
its own is run as one; the rest is here, because it may fail until the day of a release: a version that no changelog
names yet, an address that nobody has decided on.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.packing import ROOT, NotARepository, build, clone, packed_files, run

TOOLS = Path(os.environ.get("RELEASE_TOOLS", "")) / ("Scripts" if os.name == "nt" else "bin")
"""Where comfy-cli, twine and check-jsonschema are installed: noxfile.py makes it."""

Problems = Iterator[str]
Check = Callable[[Path, Path], Problems]
"""Is handed a clone of this tree and the folder with its wheel and sdist; says what to do next, or nothing."""

SCHEMAS = {
    "vendor.github-workflows": ".github/workflows/*.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "vendor.github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "vendor.dependabot": ".github/dependabot.yml",
}


def project(line: str) -> str:
    """Return what `pyproject.toml` gives for a key, such as `version`."""
    found = re.search(rf'^{line} = "(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    return found[1] if found else ""


def the_version_is_in_the_changelog(_clone: Path, _built: Path) -> Problems:
    version = project("version")
    titles = re.findall(r"^## \[(.+?)\](.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    if not titles or titles[0][0] != version:
        yield f'CHANGELOG.md: name the newest section "## [{version}] - <date>"'
    elif not re.search(r"\d{4}-\d\d-\d\d", titles[0][1]):
        yield f'CHANGELOG.md: give "## [{version}]" its date'


def the_tag_is_the_version(_clone: Path, _built: Path) -> Problems:
    tag = f"v{project('version')}"
    here = run("git", "tag", "--points-at", "HEAD").split()
    if wrong := [name for name in here if name != tag and re.match(r"v\d", name)]:
        yield f"this commit has the tag {', '.join(wrong)}, pyproject.toml the version of {tag}: move one of them"
    if tag not in here and run("git", "tag", "--list", tag).split():
        yield f"{tag} is released already: raise version in pyproject.toml and __version__ in __init__.py"


def everything_is_committed(_clone: Path, _built: Path) -> Problems:
    if changed := run("git", "status", "--porcelain").splitlines():
        yield f"commit or remove {len(changed)} changed files: {changed[0][3:]} ..."


def the_address_is_decided(_clone: Path, _built: Path) -> Problems:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    if count := len(re.findall(r'".*\bOWNER\b.*"', text)):
        yield f"pyproject.toml: put the account that owns the repository in the place of OWNER ({count} lines)"


def comfy_cli_finds_nothing(clone: Path, _built: Path) -> Problems:
    said = run(TOOLS / "comfy", "--skip-prompt", "--no-enable-telemetry", "node", "validate", cwd=clone)
    for line in said.splitlines():
        if re.search(r"warning|error", line, re.IGNORECASE):
            yield f"comfy node validate: {line.strip()}"


def the_registry_reads_what_is_meant(clone: Path, _built: Path) -> Problems:
    """As publish.yml hands it over: with the frontend's bounds, by the same command."""
    file = clone / "pyproject.toml"
    before = file.read_text("utf-8")
    (command,) = re.findall(r"run: (sed .*)", (clone / ".github/workflows/publish.yml").read_text("utf-8"))
    run("bash", "-c", command, cwd=clone)
    code = (
        "import json; from comfy_cli.registry.config_parser import extract_node_configuration as read\n"
        "c = read('pyproject.toml'); p = c.project; t = c.tool_comfy\n"
        "print(json.dumps({'version': p.version, 'Repository': p.urls.repository, 'PublisherId': t.publisher_id, "
        "'Icon': t.icon, 'Banner': t.banner_url, 'requires-comfyui': p.supported_comfyui_version, "
        "'comfyui-frontend-package': p.supported_comfyui_frontend_version}))"
    )
    read = json.loads(run(TOOLS / "python", "-c", code, cwd=clone).splitlines()[-1])
    file.write_text(before, "utf-8")
    for name, value in read.items():
        if not value:
            yield f"pyproject.toml: the registry finds no {name}"
    for name in ("Icon", "Banner"):
        place = read[name].partition("/main/")[2]
        if not place or not (clone / place).exists():
            yield f"pyproject.toml: {name} is {read[name]}, and there is no such picture here"


def the_zip_is_the_rule(clone: Path, _built: Path) -> Problems:
    run(TOOLS / "comfy", "--skip-prompt", "--no-enable-telemetry", "node", "pack", cwd=clone)
    file = clone / "node.zip"
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    file.unlink()
    if different := set(names) ^ set(packed_files(clone)):
        yield f"comfy node pack and tests/packing.py disagree: {', '.join(sorted(different)[:5])}"


def pypi_accepts_and_shows_it(_clone: Path, built: Path) -> Problems:
    try:
        run(TOOLS / "twine", "check", "--strict", *sorted(built.iterdir()))
    except RuntimeError as problem:
        yield f"twine check: {' '.join(str(problem).split())[-300:]}"
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        page = archive.read(name).decode()
    if relative := re.findall(r"\]\((?!https?:|mailto:|#)([^)]+)\)", page):
        yield f"README.md on PyPI: links that lead nowhere there: {', '.join(relative[:5])}"


def workflows_and_forms_are_valid(clone: Path, _built: Path) -> Problems:
    for schema, pattern in SCHEMAS.items():
        files = sorted(clone.glob(pattern))
        if not files:
            yield f"{pattern}: there is none"
            continue
        try:
            run(TOOLS / "check-jsonschema", "--builtin-schema", schema, *files)
        except RuntimeError as problem:
            yield f"{pattern}: {' '.join(str(problem).split())[-300:]}"


def tests_pass(*chosen: str) -> Check:
    def check(_clone: Path, _built: Path) -> Problems:
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *chosen]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
            yield f"{failed[0] if failed else done.stdout[-200:].strip()} (python run.py tests {' '.join(chosen)})"

    return check


CHECKS: dict[str, Check] = {
    "everything is committed": everything_is_committed,
    "version and changelog agree": the_version_is_in_the_changelog,
    "version and tag agree": the_tag_is_the_version,
    "address and publisher are decided": the_address_is_decided,
    "comfy node validate": comfy_cli_finds_nothing,
    "what the registry reads": the_registry_reads_what_is_meant,
    "comfy node pack": the_zip_is_the_rule,
    "wheel and sdist, and their page on PyPI": pypi_accepts_and_shows_it,
    "workflows, issue forms, dependabot": workflows_and_forms_are_valid,
    "packages, requirements, versions": tests_pass("tests/test_package.py"),
    "links and code in the documents": tests_pass("tests/test_documentation.py"),
    "texts in all languages": tests_pass("tests/test_messages.py"),
}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        try:
            cloned = clone(Path(folder) / "context-checkpoint")
        except NotARepository as problem:
            print(f"TO DO  {problem}")
            return 1
        built = build(cloned, Path(folder) / "built")
        left = 0
        for name, check in CHECKS.items():
            try:
                problems = list(check(cloned, built))
            except (OSError, RuntimeError) as problem:
                problems = [" ".join(str(problem).split())[-400:]]
            left += len(problems)
            for problem in problems:
                print(f"TO DO  {name}: {problem}", flush=True)
            if not problems:
                print(f"ok     {name}", flush=True)
    if not left:
        print(f"Ready. Next: git tag v{project('version')} && git push origin v{project('version')}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
