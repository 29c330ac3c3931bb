"""How texts are spelled in the store, how names are compared, and how names and addresses are shown to people.

Separate because the service, verdicts and the recommender's caller must spell alike to the letter. The first two
functions give back their own output unchanged, so a name may pass through them any number of times.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache


def stored_text(text: str) -> str:
    """Replace what no database takes: NUL (PostgreSQL) and lone surrogates (neither can encode them)."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")


@lru_cache(maxsize=4096)  # every question has the same few hundred names
def stored_name(checkpoint: str) -> str:
    """Spell a checkpoint's name as the store does: with `/`, whatever the system that listed it."""
    return stored_text(checkpoint.replace("\\", "/"))


def comparable(name: str) -> str:
    """Normalize a name so that the same file compares equal: one Unicode form (macOS has another), `/`, no case."""
    folded = unicodedata.normalize("NFC", name).replace("\\", "/").casefold()
    return unicodedata.normalize("NFC", folded).removeprefix("./")


def last_part(plain: str) -> str:
    """Return a comparable name without its folder."""
    return plain.rpartition("/")[2]


_UNSEEN = (
    (0x0000, 0x001F),
    (0x007F, 0x00A0),
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x1680, 0x1680),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2000, 0x200F),
    (0x2028, 0x202F),
    (0x205F, 0x206F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xD800, 0xDFFF),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
"""First and last code points: control characters, marks of direction, of width zero or for formatting, spaces that look
like the usual one, fillers, variation selectors, tags, and halves of surrogate pairs."""

# These, and a bracket that begins what looks like their spelling.
_HIDDEN = f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in _UNSEEN)}]" + r"|\[(?=U\+[0-9A-F]{4,6}\])"
_IN_TEXT = re.compile(rf"(?!\n)(?:{_HIDDEN})")
_IN_NAME = re.compile(rf"{_HIDDEN}|\A +| +\Z| {{2,}}")  # and spaces that a page does not show


@lru_cache(maxsize=4096)  # answers name the same few hundred files again and again
def shown_name(name: str) -> str:
    r"""Spell out what nobody sees in a name, so that no two names look alike.

    Only for showing: what is stored, compared and sent keeps its characters. `web/lib/shown_name.mjs` has the same
    rule and the same table.

    >>> shown_name("dream\u202etensors.safe")
    'dream[U+202E]tensors.safe'
    """
    return _IN_NAME.sub(_spelled_out, name)


def shown_text(text: str) -> str:
    """The same for a text that has names in it: its own spaces and lines stay as they are."""
    return _IN_TEXT.sub(_spelled_out, text)


def _spelled_out(found: re.Match[str]) -> str:
    return "".join(f"[U+{ord(letter):04X}]" for letter in found[0])


def shown_address(database: str) -> str:
    """Give a database's path or address without its password and its driver, for messages and logs."""
    hidden = re.sub(r"(://[^/@:]*):[^@]*@", r"\1:***@", database)
    return re.sub(r"^(\w+)\+\w+(?=://)", r"\1", hidden)


_EXTENSION = re.compile(r"\.(safetensors|sft|gguf|ckpt|pt2?|bin|pth|pkl)$", re.IGNORECASE)


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Shorten checkpoints' names that are shown together, so that each can still be told from the others.

    A name loses its folders and its extension, but for as many folders as it takes to tell it apart; where they are
    not enough, it keeps the extension. `web/lib/checkpoint_name.mjs` has the same rule, tested on the same cases.

    >>> short_names(["photo/epic.ckpt", "anime/epic.ckpt", "sdxl/dream.ckpt"])
    {'photo/epic.ckpt': 'photo/epic', 'anime/epic.ckpt': 'anime/epic', 'sdxl/dream.ckpt': 'dream'}
    """
    spelled = {name: name.replace("\\", "/") for name in names}
    files = set(spelled.values())
    endings = Counter(ending for file in files for ending in {*_endings(file), *_endings(_bare(file))})
    wholes = Counter(whole for file in files for whole in {file, _bare(file)})

    def short(file: str) -> str:
        bare = _bare(file)
        for ending in _endings(bare):
            if endings[ending] == 1:
                return ending
        if wholes[bare] == 1:  # it is the end of a longer one, which keeps a folder
            return bare
        return next((ending for ending in _endings(file) if endings[ending] == 1), file)

    return {name: shown_name(short(file)) for name, file in spelled.items()}


def _bare(file: str) -> str:
    """A name without its extension, unless it is nothing else."""
    folder, slash, last = file.rpartition("/")
    return folder + slash + (_EXTENSION.sub("", last) or last)


def _endings(file: str) -> list[str]:
    """The name with no folder, with one, and so on."""
    folders = file.split("/")
    return ["/".join(folders[-count:]) for count in range(1, len(folders) + 1)]
