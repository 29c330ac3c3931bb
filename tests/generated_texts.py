"""What other files say of the settings, made from their one definition in `runtime/settings.py`.

`python run.py docs --write` writes it; a test holds that the files are as they would be written.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from context_checkpoint.runtime.settings import DEFINITIONS, Definition

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"(?<=<!-- settings: python run.py docs --write -->\n).*?(?=<!-- /settings -->)", re.DOTALL)

MODULE = """// @ts-check
/**
 * The settings as `runtime/settings.py` defines them.
 * Written by `python run.py docs --write`; change them there.
 */

/** @type {Record<string, { default: unknown, choices?: string[], minimum?: number, maximum?: number }>} */
export const DEFINITIONS = {
%s
};
"""


def generated() -> Iterator[tuple[Path, str]]:
    """Each file that says something of the settings, and what it has to say, as a whole."""
    yield ROOT / "web" / "comfy" / "setting_definitions.mjs", _module()
    words = ROOT / "locales" / "en" / "settings.json"
    yield words, _words(json.loads(words.read_text("utf-8")))
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        if BLOCK.search(text):
            yield document, BLOCK.sub(lambda _: _table(), text)


def _module() -> str:
    return MODULE % "\n".join(f"  {definition.name}: {_facts(definition)}," for definition in DEFINITIONS)


def _facts(definition: Definition) -> str:
    facts: dict[str, Any] = {"default": definition.default}
    if definition.choices:
        facts["choices"] = definition.choices
    if definition.type in (int, float):
        facts |= {"minimum": definition.minimum, "maximum": definition.maximum}
    return "{ " + ", ".join(f"{name}: {json.dumps(value)}" for name, value in facts.items()) + " }"


def _words(words: dict[str, Any]) -> str:
    """ComfyUI's dialog takes its texts from here; names are no field of it."""
    for definition in DEFINITIONS:
        if definition.type is not tuple:
            pascal = definition.name.title().replace("_", "")
            entry: dict[str, Any] = {"name": definition.label, "tooltip": definition.help}
            if definition.choices:
                entry["options"] = {choice: choice for choice in definition.choices}
            words[f"ContextCheckpoint_{pascal}"] = entry
    return json.dumps(words, indent=2, ensure_ascii=False) + "\n"


def _table() -> str:
    rows = ["| setting | default | values | meaning |", "|---|---|---|---|"]
    for definition in DEFINITIONS:
        default = definition.spell(definition.default) or "none"
        rows.append(f"| `{definition.name}` | {default} | {_values(definition)} | {definition.help} |")
    return "\n".join(rows) + "\n"


def _values(definition: Definition) -> str:
    if definition.type is tuple:
        return definition.unit
    if definition.type is bool:
        return "true, false"
    if definition.choices:
        return ", ".join(f"`{choice}`" for choice in definition.choices)
    return f"{definition.minimum:g} to {definition.maximum:,g} {definition.unit}".strip()


def main() -> int:
    for file, text in generated():
        if file.exists() and file.read_text("utf-8") == text:
            continue
        file.write_text(text, "utf-8")
        print(f"Updated {file.relative_to(ROOT).as_posix()}.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
