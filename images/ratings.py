"""What a person thinks of an image, as far as files say it: stars, a gallery's database, the folder it lies in.

All of it becomes one number in 0..1, of which more than a half means kept. Pure but for the databases, which
`galleries` reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .galleries import GalleryDatabase, file_key

STARS = {-1: 0.0, 1: 0.2, 2: 0.4, 3: 0.6, 4: 0.8, 5: 1.0}
"""Rating of XMP's stars: -1 is rejected, 0 is none. Three stars and more mean kept."""

KEPT_FOLDERS = frozenset(
    {"favorite", "favorites", "favourite", "favourites", "fav", "favs", "liked", "likes", "best", "picks", "selected"}
) | {"keep", "keeps", "keepers", "kept", "starred", "收藏", "精选", "お気に入り"}
REJECTED_FOLDERS = frozenset(
    {"reject", "rejects", "rejected", "trash", "trashed", "bad", "discard", "discarded", "delete", "deleted", "junk"}
) | {"废图", "回收站", "ボツ", "ゴミ箱"}
"""Names of folders that say what a person thinks of the images in them, compared without case."""


@dataclass(frozen=True, slots=True)
class Rating:
    """A number in 0..1, and where it is from: `stars`, `folder`, or the name of a gallery."""

    value: float
    source: str


@dataclass(slots=True)
class Ratings:
    """The ratings of the images of one folder.

    Parameters
    ----------
    folder
        Absolute; its own name counts too.
    """

    folder: Path
    galleries: Sequence[GalleryDatabase] = ()
    _seen: set[str] = field(default_factory=set)

    def of(self, relative: str, stars: int | None) -> Rating | None:
        """The rating of an image; None where nothing says one.

        Stars in the file or beside it go before a gallery's, and those before the folder.

        Parameters
        ----------
        relative
            Its path below the folder.
        stars
            As XMP has it, of `FileReading.rating`.
        """
        key = file_key(str(self.folder / relative))
        in_gallery = None
        for gallery in self.galleries:
            if key in gallery.ratings:
                self._seen.add(key)
                in_gallery = in_gallery or Rating(gallery.ratings[key], gallery.tool)
        if stars in STARS:
            return Rating(STARS[stars], "stars")
        return in_gallery or self._by_folder(relative)

    def gone(self) -> int:
        """How many ratings of the galleries are of files below the folder that are not there."""
        below = file_key(str(self.folder)).rstrip("/") + "/"
        rated = {key for gallery in self.galleries for key in gallery.ratings if key.startswith(below)}
        return len(rated - self._seen)

    def _by_folder(self, relative: str) -> Rating | None:
        for name in reversed([self.folder.name, *relative.split("/")[:-1]]):
            plain = name.strip().casefold()
            if plain in KEPT_FOLDERS:
                return Rating(1.0, "folder")
            if plain in REJECTED_FOLDERS:
                return Rating(0.0, "folder")
        return None
