"""The documents are complete and right: nothing left out, no broken link, no broken code.

Routes and commands have such tests in `tests/api` and `tests/cli`; node inputs have theirs in `tests/comfyui`, since
only ComfyUI knows them all.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from context_checkpoint.checkpoints.name_rules import RULES
from context_checkpoint.learning.policies import POLICIES

from .generated_texts import generated

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "web" / "docs").rglob("*.md")])
NODES = {
    "ContextCheckpointRecommender": "Context Checkpoint Recommender",
    "ContextSettingsRecommender": "Context Settings Recommender",
    "ContextLoraRecommender": "Context LoRA Recommender",
    "MultiCheckpointSampler": "Multi-Checkpoint Sampler",
    "RecommendedCheckpointLoader": "Recommended Checkpoint Loader",
    "FeedbackRecorder": "Feedback Recorder",
    "SavePickedImages": "Save Picked Images",
}

LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:|mailto:)([^)\s]+)[^)]*\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MEASURED = re.compile(r"<!-- measured.*?: begin -->.*?<!-- measured.*?: end -->", re.DOTALL)
HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)
CODE_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
SOURCE = re.compile(r"\.(?:py|mjs|js|css)$")
SOURCES = ("api", "checkpoints", "cli", "learning", "nodes", "runtime")


def shown(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def anchors(document: Path) -> set[str]:
    """The names that a heading can be linked by, as the usual renderers make them."""
    text = FENCE.sub("", document.read_text("utf-8"))
    headings = (re.sub(r"[^\w\- ]", "", heading.lower()).strip() for heading in HEADING.findall(text))
    return {heading.replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_link_leads_somewhere(document: Path) -> None:
    """Files and headings alike."""
    broken = []
    for link in LINK.findall(FENCE.sub("", document.read_text("utf-8"))):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def code_spans(document: Path) -> set[str]:
    return set(CODE_SPAN.findall(FENCE.sub("", document.read_text("utf-8"))))


@pytest.mark.parametrize("document", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=shown)
def test_every_path_that_a_document_names_is_in_the_tree(document: Path) -> None:
    """Sources by any path, and whatever is said to lie in one of the rooms."""
    rooms = {folder.name for folder in ROOT.iterdir() if folder.is_dir()}
    named = {span for span in code_spans(document) if PATH.fullmatch(span)}
    paths = {span for span in named if SOURCE.search(span) or ("/" in span and span.partition("/")[0] in rooms)}

    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


def test_every_function_of_the_architecture_is_in_the_code() -> None:
    """The walks name functions as `name()` or `Class.name()`."""
    named = {span.removesuffix("()") for span in code_spans(ROOT / "docs" / "architecture.md") if span.endswith("()")}
    known = set(names_in_python()) | set(names_in_javascript())

    assert len(named) > 20
    assert sorted(name for name in named if not set(name.split(".")) <= known) == []


def names_in_python() -> Iterator[str]:
    for file in [ROOT / "__init__.py", *(file for room in SOURCES for file in (ROOT / room).rglob("*.py"))]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name


def names_in_javascript() -> Iterator[str]:
    for file in (ROOT / "web").rglob("*.mjs"):
        yield from re.findall(r"^(?:export )?class (\w+)", file.read_text("utf-8"), re.MULTILINE)
        yield from re.findall(r"^ *(?:export |async |function )*(\w+)\(.*\) \{$", file.read_text("utf-8"), re.MULTILINE)


ENGLISH = [document for document in DOCUMENTS if document.stem not in ("zh", "ja")]
"""In Chinese and Japanese a line break would be shown as a blank."""


@pytest.mark.parametrize("document", ENGLISH, ids=shown)
def test_lines_are_at_most_120_characters_long(document: Path) -> None:
    """So that changes can be compared line by line; tables, headings of measurements and code cannot be broken."""
    text = MEASURED.sub("", FENCE.sub("", document.read_text("utf-8")))
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("|") and "](" not in line]

    assert [line for line in lines if len(line) > 120] == []


def python_blocks() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        for number, (language, code) in enumerate(FENCE.findall(document.read_text("utf-8"))):
            if language in ("python", "py"):
                yield f"{shown(document)}-{number}", textwrap.dedent(code)


@pytest.mark.parametrize(("place", "code"), list(python_blocks()))
def test_python_in_the_documents_compiles(place: str, code: str) -> None:
    """What people copy must at least parse; `await` at the top is allowed, as in a notebook."""
    compile(code, place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize(("node", "display_name"), NODES.items())
def test_every_node_has_help_and_is_in_the_readme(node: str, display_name: str) -> None:
    """ComfyUI shows `web/docs/<id>.md` with the node; the readme uses the name in ComfyUI's menu."""
    pages = ROOT / "web" / "docs"
    assert (pages / f"{node}.md").exists()
    # English is what ComfyUI falls back to; the others have as many rows in their tables.
    rows = (pages / f"{node}.md").read_text("utf-8").count("\n|")
    for language in ("zh", "ja"):
        page = (pages / node / f"{language}.md").read_text("utf-8")
        assert (page.count("\n|"), page.count("\n## ")) == (rows, _sections(pages / f"{node}.md"))
        assert page.splitlines()[0] == f"# {_display_name(node, language)}"
    assert display_name in (ROOT / "README.md").read_text("utf-8")


def _sections(page: Path) -> int:
    return page.read_text("utf-8").count("\n## ")


def _display_name(node: str, language: str) -> str:
    names = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text("utf-8"))
    return str(names[node]["display_name"])


def test_no_node_is_forgotten_here() -> None:
    """The ids in the sources, less those that only expansions use, are the ones above."""
    sources = [file.read_text("utf-8") for file in (ROOT / "nodes").rglob("*.py")]
    ids = {name for source in sources for name in re.findall(r'node_id="(\w+)"', source)}

    assert {name for name in ids if not name.startswith("ContextCheckpointBranch")} == set(NODES)


def test_what_is_said_of_the_settings_is_their_definition() -> None:
    """In the documentation, in ComfyUI's dialog and in its English texts; `python run.py docs --write` writes them."""
    files = dict(generated())

    assert ROOT / "docs" / "settings.md" in files
    assert [shown(file) for file, text in files.items() if file.read_text("utf-8") != text] == []


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_is_explained(policy: str) -> None:
    """A person chooses one by its name."""
    assert f"`{policy}`" in (ROOT / "docs" / "learning.md").read_text("utf-8")


def test_every_rule_for_names_is_explained() -> None:
    """With the source that the code names, and the values of the code."""
    page = (ROOT / "docs" / "profiles.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.count("|") == 7 and not line.startswith(("|--", "| words"))]
    assert len(rows) == len(RULES)
    for row, rule in zip(rows, RULES, strict=True):
        _, _, _, steps, cfg, sampler, source, _ = map(str.strip, row.split("|"))
        known = {name: f"{value:g}" if name == "cfg" else str(value) for name, value in rule.settings.known().items()}
        assert (steps, cfg) == (known.get("steps", ""), known.get("cfg", ""))
        assert sampler == ", ".join(known[name] for name in ("sampler", "scheduler") if name in known)
        if rule.source.startswith("https:"):
            assert f"({rule.source.split(' ')[0]})" in source


def test_every_variable_of_the_environment_is_explained() -> None:
    """Whatever the pack reads from the environment."""
    sources = [*ROOT.glob("*.py"), *(file for room in SOURCES for file in (ROOT / room).rglob("*.py"))]
    read = {name for file in sources for name in re.findall(r'"(CONTEXT_CHECKPOINT_\w+)"', file.read_text("utf-8"))}

    assert read
    assert [name for name in sorted(read) if name not in documentation()] == []


def test_contributing_names_places_that_exist() -> None:
    """Rooms and files to touch; a name in angle brackets stands for a new one."""
    text = FENCE.sub("", (ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    places = {place for place in re.findall(r"`([\w./-]+)`", text) if "/" in place or place.endswith((".py", ".md"))}
    folders = {place.rpartition("/")[0] for place in re.findall(r"`([\w./-]+/)<", text)}

    assert len(places) > 30
    assert [place for place in sorted(places | folders) if not (ROOT / place).exists()] == []


def test_the_architecture_lists_every_room() -> None:
    """Each top folder with Python in it has its row."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rooms = {f"{file.parent.name}/" for file in ROOT.glob("*/__init__.py")}

    assert [room for room in sorted(rooms) if not re.search(rf"^\|.*`{room}`", text, re.MULTILINE)] == []


def test_every_command_of_the_runner_is_explained() -> None:
    """`python run.py --help` and docs/development.md name the same commands."""
    source = (ROOT / "run.py").read_text("utf-8")
    commands = re.findall(r'^    "([\w-]+)": "', source, re.MULTILINE)
    page = (ROOT / "docs" / "development.md").read_text("utf-8")

    assert len(commands) == 12
    assert [name for name in commands if f"| `python run.py {name}` |" not in page] == []


def test_no_document_names_a_place_on_somebodys_machine() -> None:
    """Home folders and scratch folders of whoever wrote it are nobody else's."""
    private = re.compile(r"(?<![\w.~])/(?:root|home/\w+|Users/\w+|work|tmp)/\S*")

    assert {shown(page): paths for page in DOCUMENTS if (paths := private.findall(page.read_text("utf-8")))} == {}


def documentation() -> str:
    return "\n".join(page.read_text("utf-8") for page in DOCUMENTS if page.name != "CHANGELOG.md")
