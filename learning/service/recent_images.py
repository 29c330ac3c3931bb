"""The newest images whose settings are known, and the keywords of their prompts, kept while they are the newest.

Separate from `parameters`, which answers questions with them: here is how the log is followed. A question comes after
nearly every logged generation, and reading thousands of images takes longer than a question may. So only what was
logged or judged since is read, as long as the log has its identity.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.database import Database
from ..parameters import MadeImage
from ..prompts.written_negative import is_note, learned
from ..store import image_settings
from ..values import Keyword


@dataclass(frozen=True, slots=True)
class Recent:
    """What the log says of its newest images in one state.

    Attributes
    ----------
    images
        Oldest first.
    words
        The keywords of their generations, by their numbers.
    notes
        Their negative prompts as they were written (`prompts.written_negative`), where that is known.
    """

    images: Sequence[MadeImage]
    words: Mapping[int, Sequence[Keyword]]
    _generations_with: Mapping[str, Sequence[int]] = field(repr=False)
    notes: Mapping[int, str] = field(default_factory=dict)

    def generations_with(self, text: str) -> Sequence[int]:
        """The numbers of the generations with a keyword."""
        return self._generations_with.get(text, ())

    def shared_words(self, words: Iterable[Keyword]) -> dict[int, int]:
        """How many of these keywords each generation has; those with none are left out."""
        texts = {word.text for word in words}
        return Counter(number for text in texts for number in self._generations_with.get(text, ()))


class RecentImages:
    """Of one database.

    Attributes
    ----------
    lock
        Whoever asks for `current` holds it, also while it reads what came: the next call may change it.
    """

    def __init__(self, database: Database) -> None:
        self.lock = asyncio.Lock()
        self._database = database
        self._version: Hashable = None
        self._state: image_settings.State | None = None
        self._first = 0
        self._images: dict[int, list[MadeImage]] = {}
        self._words: dict[int, Sequence[Keyword]] = {}
        self._notes: dict[int, str] = {}
        self._generations_with: dict[str, list[int]] = {}
        self._recent = Recent((), {}, {})

    async def current(self) -> Recent:
        """What the log says now; the same object while nothing changes. Raises `StoreUnavailable`."""
        version = await self._database.version()  # before the log: what is read is of it or of a newer one
        if version is None or version != self._version:
            await self._database.read(self._follow)
            self._version = version
        return self._recent

    async def _follow(self, connection: AsyncConnection) -> None:
        state = await image_settings.state(connection)
        if self._state is not None and state.identity == self._state.identity:
            numbers = await image_settings.changed_since(connection, self._state)
            changed = await image_settings.images_of(connection, [each for each in numbers if each >= self._first])
        else:
            self._images, self._words, self._notes, self._generations_with = {}, {}, {}, {}
            self._first = await image_settings.first_of_newest(connection)
            changed = await image_settings.newest(connection, self._first)
            self._recent = Recent((), {}, {})
        if changed:
            await self._add(connection, changed)
        self._state = state

    async def _add(self, connection: AsyncConnection, changed: Sequence[MadeImage]) -> None:
        of_number = {number: list(images) for number, images in groupby(changed, lambda image: image.generation)}
        new = [number for number in of_number if number not in self._words]
        for number, all_words in (await image_settings.words_of(connection, new)).items():
            words = self._words[number] = learned(all_words)
            for note in (word.text for word in all_words if is_note(word.text)):
                self._notes[number] = note
            for text in {word.text for word in words}:
                self._generations_with.setdefault(text, []).append(number)
        self._images.update(of_number)
        images = [image for number in sorted(self._images) for image in self._images[number]]
        if len(images) >= image_settings.MOST_IMAGES:
            self._first = image_settings.next_block(images[-image_settings.MOST_IMAGES].generation)
            images = [image for image in images if image.generation >= self._first]
            for number in [each for each in self._images if each < self._first]:
                del self._images[number]
                self._notes.pop(number, None)
                for text in {word.text for word in self._words.pop(number)}:
                    self._generations_with[text].remove(number)
        self._recent = Recent(images, self._words, self._generations_with, self._notes)
