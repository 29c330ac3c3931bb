"""Statements that go to the database's driver as they are: on the few ways that are gone all the time.

SQLAlchemy takes longer to hand over a small statement, and what it gives, than SQLite or a server beside it
takes to answer. Here a statement is put into the database's words once, and then only its values travel; the
connection and its transaction stay SQLAlchemy's. Separate from `quick_cursor`, which knows SQLite alone. It
refuses to begin or to end anything.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, Column, ColumnElement, Dialect, Table, Text, any_, bindparam, false
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from .fast_cursor import QuickConnection

_KEPT = 64
_CLOSED = ("no active connection", "connection closed")  # which aiosqlite tells as values that are wrong
_FLOAT = 701  # what a server's driver calls the type of all our numbers with fractions

Row: TypeAlias = Sequence[Any]
Among: TypeAlias = Callable[[ColumnElement[str], str], ColumnElement[bool]]
"""From a column and the name of a list of texts to the condition that it is one of them."""
_Place: TypeAlias = "tuple[str, int | None]"
_Converter: TypeAlias = Callable[[Any], Any]


class Reading:
    """A statement that gives rows.

    Parameters
    ----------
    build
        Makes the statement; it names its values by `bindparam`, and its lists of texts with what it is given.
    """

    def __init__(self, build: Callable[[Among], Any]) -> None:
        self._build = build
        self._known: OrderedDict[tuple[str | int, ...], _Compiled] = OrderedDict()

    async def rows(self, connection: AsyncConnection, **values: Any) -> Sequence[Row]:
        """All that it gives for these values; raises `DBAPIError`."""
        compiled = self._compiled(connection.dialect, values)
        arguments = compiled.arguments(values)
        driver = _driver(connection)
        try:
            if isinstance(driver, QuickConnection):
                found = await driver.rows(compiled.sql, arguments)
            else:
                found = await driver.fetch(compiled.sql, *arguments)
        except Exception as error:
            raise failed(driver, compiled.sql, error) from error
        return compiled.converted(found)

    def _compiled(self, dialect: Dialect, values: Mapping[str, Any]) -> _Compiled:
        # A server takes a list as one value. SQLite has none: there each length is a statement of its own.
        on_server = dialect.name == "postgresql"
        key: tuple[str | int, ...] = (dialect.name,)
        if not on_server:
            key += tuple(len(value) for value in values.values() if isinstance(value, list))
        known = self._known.get(key)
        if known is not None:
            return known
        listed: dict[str, _Place] = {}

        def among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
            if on_server:
                return column == any_(bindparam(name, type_=ARRAY(Text)))
            places = {f"{name}_{place}": (name, place) for place in range(len(values[name]))}
            listed.update(places)
            return column.in_([bindparam(each, type_=Text) for each in places]) if places else false()

        known = self._known[key] = _compile(self._build(among), dialect, listed)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return known


@dataclass(frozen=True, slots=True)
class _Compiled:
    """`places` says what each of its places takes: a value by its name, or one of a list's."""

    sql: str
    places: Sequence[_Place]
    fixed: Mapping[str, Any]
    converters: Sequence[tuple[int, _Converter]]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        return [
            (values[name] if name in values else self.fixed[name]) if at is None else values[name][at]
            for name, at in self.places
        ]

    def converted(self, rows: Sequence[Row]) -> Sequence[Row]:
        if not self.converters:
            return rows
        lists = [list(row) for row in rows]
        for row in lists:
            for place, converter in self.converters:
                row[place] = converter(row[place])
        return lists


def _compile(statement: Any, dialect: Dialect, listed: Mapping[str, _Place]) -> _Compiled:
    compiled = statement.compile(dialect=dialect)
    places = [listed.get(name, (name, None)) for name in compiled.positiontup]
    converters = []
    for place, column in enumerate(statement.selected_columns):
        converter = column.type.dialect_impl(dialect).result_processor(dialect, _FLOAT)
        if converter is not None:
            converters.append((place, converter))
    return _Compiled(compiled.string, places, compiled.params, converters)


class Writing:
    """A statement that changes a row for each row of values, which come in the order of `columns`.

    Make it with `adding`, `increasing`, `inserting` or `setting`.
    """

    def __init__(self, sql: str, columns: Sequence[Column[Any]]) -> None:
        self._sql = sql
        self._columns = columns
        self._known: dict[str, tuple[str, Sequence[tuple[int, _Converter]]]] = {}

    @classmethod
    def adding(cls, table: Table) -> Writing:
        """Add numbers to the row with this key, or begin one with them; all columns in order."""
        columns = list(table.columns)
        held = [column.name for column in columns if not column.primary_key]
        sums = ", ".join(f'"{name}" = {table.name}."{name}" + excluded."{name}"' for name in held)
        key = ", ".join(_named(column) for column in table.primary_key)
        begun = cls.inserting(table, columns)
        return cls(f"{begun._sql} ON CONFLICT ({key}) DO UPDATE SET {sums}", columns)

    @classmethod
    def inserting(cls, table: Table, columns: Sequence[Column[Any]]) -> Writing:
        names = ", ".join(map(_named, columns))
        places = ", ".join(f"{{}}{place}" for place in range(1, len(columns) + 1))
        return cls(f"INSERT INTO {table.name} ({names}) VALUES ({places})", columns)  # noqa: S608

    @classmethod
    def increasing(cls, key: Column[Any], columns: Sequence[Column[Any]]) -> Writing:
        """Add numbers to the row with a key, which comes first; where there is none, nothing happens."""
        more = ", ".join(f"{_named(each)} = {_named(each)} + {{}}{at}" for at, each in enumerate(columns, 2))
        return cls(f"UPDATE {key.table.name} SET {more} WHERE {_named(key)} = {{}}1", [key, *columns])  # noqa: S608

    @classmethod
    def setting(cls, key: Column[Any], columns: Sequence[Column[Any]]) -> Writing:
        """Give the row with a key, which comes first, these values."""
        new = ", ".join(f"{_named(each)} = {{}}{at}" for at, each in enumerate(columns, 2))
        return cls(f"UPDATE {key.table.name} SET {new} WHERE {_named(key)} = {{}}1", [key, *columns])  # noqa: S608

    async def write(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        """Do it for all rows; in SQLite, before the next thing that is waited for. Raises `DBAPIError`."""
        sql, converters = self._in_words_of(connection.dialect)
        if converters:
            lists = [list(row) for row in rows]
            for row in lists:
                for place, converter in converters:
                    row[place] = converter(row[place])
            rows = lists
        driver = _driver(connection)
        try:
            if isinstance(driver, QuickConnection):
                driver.write_soon(sql, rows)
            else:
                await driver.executemany(sql, rows)
        except Exception as error:
            raise failed(driver, sql, error) from error

    def _in_words_of(self, dialect: Dialect) -> tuple[str, Sequence[tuple[int, _Converter]]]:
        known = self._known.get(dialect.name)
        if known is None:
            converters = []
            for place, column in enumerate(self._columns):
                converter = column.type.dialect_impl(dialect).bind_processor(dialect)
                if converter is not None:
                    converters.append((place, converter))
            sign = "$" if dialect.name == "postgresql" else "?"
            known = self._known[dialect.name] = (self._sql.replace("{}", sign), converters)
        return known


def is_cut(connection: AsyncConnection) -> bool:
    """Whether a server's connection is known to lead nowhere any more."""
    return connection.closed or connection.invalidated or bool(_driver(connection).is_closed())


def failed(driver: Any, sql: str, error: Exception) -> Exception:
    """The error as SQLAlchemy would have told it; what no database raised is left as it is."""
    kinds = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    is_closed = isinstance(error, ValueError) and str(error).lower() in _CLOSED
    if not kinds & {"sqlite3", "asyncpg"} and not is_closed:
        return error
    gone = not isinstance(driver, QuickConnection) and driver.is_closed()
    return DBAPIError(sql, None, error, connection_invalidated=gone)


def _driver(connection: AsyncConnection) -> Any:
    held = connection.sync_connection
    assert held is not None  # noqa: S101 - for mypy: it has been started
    return held.connection.driver_connection


def _named(column: Column[Any]) -> str:
    return f'"{column.name}"'
