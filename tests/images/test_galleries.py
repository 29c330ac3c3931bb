"""Other programs' databases are read as they are, and never written, locked or trusted."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from context_checkpoint.images import galleries
from context_checkpoint.images.galleries import GalleryDatabase, find_galleries
from context_checkpoint.images.ratings import Rating, Ratings

MAJOOR = """
    CREATE TABLE assets (id INTEGER PRIMARY KEY AUTOINCREMENT, filename TEXT NOT NULL, subfolder TEXT DEFAULT '',
        filepath TEXT NOT NULL UNIQUE, source TEXT DEFAULT 'output', kind TEXT NOT NULL, ext TEXT NOT NULL,
        size INTEGER NOT NULL, mtime INTEGER NOT NULL);
    CREATE TABLE asset_metadata (asset_id INTEGER PRIMARY KEY, rating INTEGER DEFAULT 0, tags TEXT DEFAULT '');
"""
SMART_GALLERY = """
    CREATE TABLE files (id TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, mtime REAL NOT NULL, name TEXT NOT NULL,
        is_favorite INTEGER DEFAULT 0);
    CREATE TABLE file_ratings (file_id TEXT, client_uuid TEXT, rating INTEGER, created_at REAL,
        PRIMARY KEY (file_id, client_uuid));
"""
IIB = """
    CREATE TABLE image (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT UNIQUE, exif TEXT, size INTEGER, date TEXT);
    CREATE TABLE tag (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, score INTEGER, type TEXT, count INTEGER);
    CREATE TABLE image_tag (image_id INTEGER, tag_id INTEGER, PRIMARY KEY (image_id, tag_id));
"""


def majoor(root: Path, **stars: int) -> Path:
    file = root / "_mjr_index" / "assets.sqlite"
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript(MAJOOR)
        for number, (name, rating) in enumerate(stars.items(), start=1):
            path = str(root / f"{name}.png")
            asset = (number, f"{name}.png", path, "image", ".png", 1, 1)
            database.execute(
                "INSERT INTO assets (id, filename, filepath, kind, ext, size, mtime) VALUES (?, ?, ?, ?, ?, ?, ?)",
                asset,
            )
            database.execute("INSERT INTO asset_metadata (asset_id, rating) VALUES (?, ?)", (number, rating))
    return file


def smart_gallery(root: Path) -> Path:
    file = root / ".sqlite_cache" / "gallery_cache.sqlite"
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript(SMART_GALLERY)
        for name, favorite in (("a", 1), ("b", 0), ("c", 0)):
            path = str(root / f"{name}.png")
            database.execute("INSERT INTO files VALUES (?, ?, 1, ?, ?)", (name, path, f"{name}.png", favorite))
        database.executemany("INSERT INTO file_ratings VALUES (?, ?, ?, 1)", [("b", "x", 1), ("b", "y", 2)])
    return file


def iib(root: Path) -> Path:
    file = root / "iib.db"
    root.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript(IIB)
        database.execute("INSERT INTO tag VALUES (1, 'like', 0, 'custom', 1), (2, 'like', 0, 'pos', 1)")
        for number, name in enumerate("abc", start=1):
            database.execute("INSERT INTO image (id, path) VALUES (?, ?)", (number, str(root / f"{name}.png")))
        database.execute("INSERT INTO image_tag VALUES (1, 1), (2, 2)")
    return file


def by_name(gallery: GalleryDatabase) -> dict[str, float]:
    return {key.rpartition("/")[2]: rating for key, rating in gallery.ratings.items()}


def test_stars_favourites_and_hearts_are_read(tmp_path):
    """Majoor's stars, SmartGallery's favourites and visitors' stars, infinite-image-browsing's heart."""
    majoor(tmp_path, a=5, b=0, c=2)
    smart_gallery(tmp_path)
    iib(tmp_path)

    found = {gallery.tool: by_name(gallery) for gallery in find_galleries(tmp_path, tmp_path)}

    assert found == {
        "Majoor Assets Manager": {"a.png": 1.0, "c.png": 0.4},
        "SmartGallery": {"a.png": 1.0, "b.png": pytest.approx(0.3)},
        "infinite-image-browsing": {"a.png": 1.0},
    }


def test_a_database_above_the_folder_is_found_up_to_the_top(tmp_path):
    """People import a subfolder of the output folder; what is above the top is none of a server's business."""
    majoor(tmp_path, a=5)
    (tmp_path / "output" / "2026").mkdir(parents=True)

    assert len(find_galleries(tmp_path / "output" / "2026")) == 1
    assert find_galleries(tmp_path / "output" / "2026", tmp_path / "output") == []


def test_infinite_image_browsing_keeps_its_database_elsewhere(tmp_path, monkeypatch):
    """In its own folder: the person names it, or its own environment variable does."""
    file = iib(tmp_path / "elsewhere")
    renamed = file.rename(file.with_name("hearts.sqlite"))
    (tmp_path / "output").mkdir()

    assert [gallery.tool for gallery in find_galleries(tmp_path / "output", more=[renamed])] == [
        "infinite-image-browsing"
    ]
    monkeypatch.setenv("IIB_DB_PATH", str(iib(tmp_path / "other")))
    assert [len(gallery.ratings) for gallery in find_galleries(tmp_path / "output")] == [1]


def test_reading_leaves_no_trace(tmp_path):
    """No file beside it, no change of it, not even of its time."""
    file = majoor(tmp_path, a=5)
    before = (file.read_bytes(), file.stat().st_mtime_ns, list(file.parent.iterdir()))

    find_galleries(tmp_path, tmp_path)

    assert (file.read_bytes(), file.stat().st_mtime_ns, list(file.parent.iterdir())) == before


def test_a_database_that_its_program_has_open_is_read_with_its_newest_rows(tmp_path):
    """Majoor keeps its write-ahead log open while ComfyUI runs, and goes on writing while it is read."""
    file = majoor(tmp_path, a=1)
    with closing(sqlite3.connect(file, isolation_level=None)) as owner:
        owner.execute("PRAGMA journal_mode=WAL")
        owner.execute("UPDATE asset_metadata SET rating = 5")
        owner.execute("BEGIN IMMEDIATE")
        owner.execute("UPDATE asset_metadata SET rating = 3")

        [gallery] = find_galleries(tmp_path, tmp_path)

        owner.execute("COMMIT")
        assert by_name(gallery) == {"a.png": 1.0}


def test_a_log_that_was_left_over_is_read_and_stays(tmp_path):
    """Its program was killed: the newest stars are in the log alone, which is its program's to clear."""
    file = majoor(tmp_path, a=1)
    with closing(sqlite3.connect(file, isolation_level=None)) as owner:
        owner.execute("PRAGMA journal_mode=WAL")
        owner.execute("UPDATE asset_metadata SET rating = 5")
        killed = tmp_path / "killed" / "_mjr_index"
        killed.mkdir(parents=True)
        for ending in ("", "-wal"):
            (killed / f"assets.sqlite{ending}").write_bytes(Path(f"{file}{ending}").read_bytes())
    before = {path.name: path.read_bytes() for path in killed.iterdir()}

    [gallery] = find_galleries(killed.parent, killed.parent)

    assert by_name(gallery) == {"a.png": 1.0}
    assert {path.name: path.read_bytes() for path in killed.iterdir()} == before


def test_a_database_that_is_being_written_is_told(tmp_path):
    """With a rollback journal, what is in the file meanwhile may be half of a change."""
    file = majoor(tmp_path, a=1)
    with closing(sqlite3.connect(file, isolation_level=None)) as owner:
        owner.execute("BEGIN EXCLUSIVE")
        owner.execute("UPDATE asset_metadata SET rating = 5")

        [gallery] = find_galleries(tmp_path, tmp_path)

        owner.execute("COMMIT")  # nobody kept it from that
    assert (gallery.ratings, "another program is writing" in gallery.problem) == ({}, True)


def test_a_damaged_one_and_one_of_another_version_are_told(tmp_path):
    """Nothing of them counts, and the others are read."""
    for number in range(3):
        majoor(tmp_path / str(number), a=5)
    damaged, other, empty = (tmp_path / str(number) / "_mjr_index" / "assets.sqlite" for number in range(3))
    damaged.write_bytes(b"no database at all" * 100)
    with closing(sqlite3.connect(other)) as database, database:
        database.execute("ALTER TABLE asset_metadata RENAME COLUMN rating TO stars")
    empty.write_bytes(b"")
    smart_gallery(tmp_path / "0")

    found = [find_galleries(tmp_path / str(number), tmp_path / str(number)) for number in range(3)]

    problems = [gallery.problem for found_here in found for gallery in found_here]
    assert "damaged" in problems[0]
    assert problems[1] == ""
    assert "not those that are known" in problems[2]
    assert "not those that are known" in problems[3]


def test_a_named_database_that_is_not_there_is_told(tmp_path):
    """And nothing is created in its place."""
    [gallery] = find_galleries(tmp_path, tmp_path, [tmp_path / "iib.db"])

    assert gallery.problem
    assert not (tmp_path / "iib.db").exists()


def test_a_database_that_changes_all_the_time_is_told(tmp_path, monkeypatch):
    """What was read then may be half of two states."""
    majoor(tmp_path, a=5)
    states = iter(range(100))
    monkeypatch.setattr(galleries, "_state", lambda path: (next(states), 0, False))

    assert find_galleries(tmp_path, tmp_path)[0].problem


@pytest.mark.parametrize(
    ("relative", "stars", "expected"),
    [
        ("a.png", None, Rating(1.0, "Majoor Assets Manager")),
        ("a.png", -1, Rating(0.0, "stars")),
        ("b.png", 0, None),
        ("b.png", 3, Rating(0.6, "stars")),
        ("Favorites/x.png", None, Rating(1.0, "folder")),
        ("2026/rejected/x.png", None, Rating(0.0, "folder")),
        ("rejected/but kept/Keep/x.png", None, Rating(1.0, "folder")),
        ("お気に入り/x.png", None, Rating(1.0, "folder")),
        ("favorites of others/x.png", None, None),
    ],
)
def test_stars_go_before_a_gallery_and_that_before_the_folder(tmp_path, relative, stars, expected):
    """The nearest folder that says something counts."""
    majoor(tmp_path, a=5)

    assert Ratings(tmp_path, find_galleries(tmp_path, tmp_path)).of(relative, stars) == expected


def test_ratings_of_files_that_are_gone_are_counted(tmp_path):
    """Below the folder; what lies elsewhere may well be there."""
    majoor(tmp_path, a=5, gone=4)
    ratings = Ratings(tmp_path, find_galleries(tmp_path, tmp_path))

    ratings.of("a.png", None)

    assert (ratings.gone(), Ratings(tmp_path / "sub", ratings.galleries).gone()) == (1, 0)
