"""Many pairs as one array that reads like a mapping."""

from __future__ import annotations

import numpy
import pytest

from context_checkpoint.learning.model.evidence import PairStatistics
from context_checkpoint.learning.model.pair_table import FIELDS, PairTable

HELD = {
    ("cat", "a"): PairStatistics(1.0, 2.0, 3.0),
    ("cat", "b"): PairStatistics(4.0, 5.0, 6.0, 7.0, 8.0),
    ("night", "b"): PairStatistics(9.0, 10.0),
}


def test_a_table_equals_the_mapping_that_it_was_made_of():
    """Every pair is found, and no other."""
    table = PairTable.of(HELD)
    assert dict(table) == HELD
    assert len(table) == 3
    assert ("night", "a") not in table
    assert table.get(("dog", "a")) is None
    with pytest.raises(KeyError):
        table["cat", "z"]


def test_it_is_laid_out_in_any_order_with_zeros_for_what_is_not_held():
    """Unknown keywords and checkpoints are rows and columns of zeros."""
    found = PairTable.of(HELD).laid_out(["night", "dog", "cat"], ["b", "z", "a"])
    assert found.shape == (len(FIELDS), 3, 3)
    total = found[FIELDS.index("total")]
    assert numpy.array_equal(total, [[10.0, 0.0, 0.0], [0.0, 0.0, 0.0], [5.0, 0.0, 2.0]])


def test_an_empty_table_is_laid_out_too():
    """Nothing is known, of nobody."""
    assert not PairTable.of({}).laid_out(["cat"], ["a", "b"]).any()
    assert PairTable.of(HELD).laid_out([], []).shape == (len(FIELDS), 0, 0)
