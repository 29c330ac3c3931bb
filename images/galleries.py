"""Reads the ratings that a person gave in another program's gallery, from that program's SQLite database.

The databases are other programs' property: nothing is written into them, into their folder or into their journal, and
no lock of ours keeps them from writing. A file without a write-ahead log is read as one that nobody changes
(`immutable`: SQLite then takes no locks), and what was read counts only if it did not change meanwhile. With a log that
its program has open, readers block nobody. A log that nobody has open is read in a copy, since SQLite would clear it.

What is known of each program's tables is from its own source: Majoor Assets Manager (schema 15), SmartGallery,
infinite-image-browsing.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ..learning.message import message

MOST_ROWS = 2_000_000
_TIMEOUT_S = 0.5
_ATTEMPTS = 3
_LARGEST_COPY_BYTES = 2**30
IIB_VARIABLE = "IIB_DB_PATH"
"""Where infinite-image-browsing is told to keep its database."""


@dataclass(frozen=True, slots=True)
class GalleryDatabase:
    """One database of a gallery: where it is, whose, and what was found in it.

    Parameters
    ----------
    ratings
        In 0..1, by `file_key` of the path as it is written there.
    problem
        Why it could not be read; empty where it was.
    """

    path: Path
    tool: str
    ratings: dict[str, float] = field(default_factory=dict)
    problem: str = ""


def file_key(path: str) -> str:
    """A path by which files are compared, whatever program wrote it."""
    plain = unicodedata.normalize("NFC", path.replace("\\", "/"))
    return plain.casefold() if os.name == "nt" or plain[1:2] == ":" else plain


def find_galleries(folder: Path, top: Path | None = None, more: Sequence[Path] = ()) -> list[GalleryDatabase]:
    """Read the databases that are in a folder or above it, up to `top`, and those named in `more`.

    Without `top` up to the root of the file system. One that cannot be read is listed with its problem.
    """
    places = [folder, *folder.parents]
    if top is not None and top in places:
        places = places[: places.index(top) + 1]
    candidates = [place / part for place in places for part in _READERS]
    if named := os.environ.get(IIB_VARIABLE):
        candidates.append(Path(named))
    found: list[GalleryDatabase] = []
    for path in dict.fromkeys([*candidates, *more]):
        if path in more or path.is_file():
            found.append(_read(path))
    return found


def _read(path: Path) -> GalleryDatabase:
    tool, reader = next(
        (known for part, known in _READERS.items() if path.parts[-len(part.parts) :] == part.parts), ("", None)
    )
    readers = [(tool, reader)] if reader is not None else list(_READERS.values())
    problem = ""
    for name, read in readers:
        try:
            return GalleryDatabase(path, name, _attempted(path, read))
        except sqlite3.OperationalError as error:
            problem = _operational(error)
        except sqlite3.DatabaseError:
            problem = message("gallery_damaged", "it is damaged, or no SQLite database")
            break
        except OSError as error:
            problem = message("gallery_unreadable", "it cannot be read ({error})", error=error.strerror or error)
            break
    return GalleryDatabase(path, tool, problem=problem)


def _operational(error: sqlite3.OperationalError) -> str:
    text = str(error)
    if "no such table" in text or "no such column" in text:
        return message("gallery_version", "its tables are not those that are known: {error}", error=text)
    if "locked" in text or "busy" in text:
        return message("gallery_locked", "another program is writing into it; try again when that has ended")
    return message("gallery_unreadable", "it cannot be read ({error})", error=text)


def _attempted(path: Path, read: Callable[[sqlite3.Connection, Path], dict[str, float]]) -> dict[str, float]:
    """Read once more where somebody wrote meanwhile."""
    for attempt in range(_ATTEMPTS):
        try:
            before = _state(path)
            with _opened(path) as (connection, is_immutable):
                ratings = read(connection, path)
            if not is_immutable or before == _state(path):
                return ratings
        except sqlite3.DatabaseError:  # half of what somebody writes now may look damaged
            if attempt == _ATTEMPTS - 1 or before == _state(path):
                raise
    raise sqlite3.OperationalError("database is locked")


def _state(path: Path) -> tuple[int, int, bool]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, _beside(path, "-journal").exists()


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[sqlite3.Connection, bool]]:
    """A connection that only reads, and whether it relies on nobody writing."""
    log = _beside(path, "-wal")
    if not log.exists():
        if _beside(path, "-journal").exists():  # of a program that writes now, or ended while it did
            raise sqlite3.OperationalError("database is locked")
        with closing(_connect(path, "mode=ro&immutable=1")) as connection:
            yield connection, True
    elif _beside(path, "-shm").exists():
        with closing(_connect(path, "mode=ro")) as connection:
            yield connection, False
    else:
        with tempfile.TemporaryDirectory(prefix="context_checkpoint_") as folder:
            if path.stat().st_size + log.stat().st_size > _LARGEST_COPY_BYTES:
                raise sqlite3.OperationalError("its log was left over, and it is too large to be copied")
            for part in (path, log):
                shutil.copyfile(part, Path(folder) / part.name)
            with closing(_connect(Path(folder) / path.name, "mode=rw")) as connection:
                yield connection, True


def _connect(path: Path, options: str) -> sqlite3.Connection:
    address = f"file:{quote(path.absolute().as_posix())}?{options}"
    connection = sqlite3.connect(address, uri=True, timeout=_TIMEOUT_S, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    return connection


def _majoor(connection: sqlite3.Connection, path: Path) -> dict[str, float]:
    """`rating` has stars from 0 (none) to 5."""
    rows = connection.execute(
        "SELECT assets.filepath, asset_metadata.rating FROM asset_metadata "
        "JOIN assets ON assets.id = asset_metadata.asset_id WHERE asset_metadata.rating > 0 LIMIT ?",
        (MOST_ROWS,),
    )
    return _by_file((file, _of_stars(stars)) for file, stars in rows)


def _smart_gallery(connection: sqlite3.Connection, path: Path) -> dict[str, float]:
    """A favourite counts as five stars. Visitors' stars, which newer versions have too, are averaged."""
    rated: dict[str, float] = {}
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'file_ratings'").fetchone():
        rows = connection.execute(
            "SELECT files.path, avg(file_ratings.rating) FROM file_ratings "
            "JOIN files ON files.id = file_ratings.file_id GROUP BY files.path LIMIT ?",
            (MOST_ROWS,),
        )
        rated = _by_file((file, _of_stars(stars)) for file, stars in rows)
    rows = connection.execute("SELECT path FROM files WHERE is_favorite = 1 LIMIT ?", (MOST_ROWS,))
    return rated | _by_file((file, 1.0) for (file,) in rows)


def _infinite_image_browsing(connection: sqlite3.Connection, path: Path) -> dict[str, float]:
    """Its heart is the tag `like`."""
    rows = connection.execute(
        "SELECT image.path FROM image_tag JOIN image ON image.id = image_tag.image_id "
        "JOIN tag ON tag.id = image_tag.tag_id WHERE tag.name = 'like' AND tag.type = 'custom' LIMIT ?",
        (MOST_ROWS,),
    )
    return _by_file((file, 1.0) for (file,) in rows)


def _by_file(rows: Iterator[tuple[object, float | None]]) -> dict[str, float]:
    return {file_key(file): rating for file, rating in rows if isinstance(file, str) and rating is not None}


def _of_stars(stars: object) -> float | None:
    return min(float(stars), 5.0) / 5.0 if isinstance(stars, (int, float)) and stars > 0 else None


_READERS: dict[Path, tuple[str, Callable[[sqlite3.Connection, Path], dict[str, float]]]] = {
    Path("_mjr_index/assets.sqlite"): ("Majoor Assets Manager", _majoor),
    Path(".sqlite_cache/gallery_cache.sqlite"): ("SmartGallery", _smart_gallery),
    Path("iib.db"): ("infinite-image-browsing", _infinite_image_browsing),
}
"""Where each program keeps its database, below a folder of images or above it."""
