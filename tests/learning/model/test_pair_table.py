"""Many pairs as one array that reads like a mapping."""

from __future__ import annotations

import numpy
import pytest

from context_checkpoint.learning.model.evidence import PairStatistics
from context_checkpoint.learning.model.pair_table import FIELDS, PairTable

SUMS = {
    ("cat", "a"): PairStatistics(1.0, 2.0, 3.0),
    ("cat", "b"): PairStatistics(4.0, 5.0, 6.0, 7.0, 8.0),
    ("night", "b"): PairStatistics(9.0, 10.0),
}


def test_a_table_equals_the_mapping_that_it_was_made_of():
    """Every pair is found, and no other."""
    table = PairTable.of(SUMS)
    assert dict(table) == SUMS
    assert len(table) == 3
    assert ("night", "a") not in table
    assert table.get(("dog", "a")) is None
    with pytest.raises(KeyError):
        table["cat", "z"]


def test_its_array_has_any_order_and_zeros_for_unknown_pairs():
    """Unknown keywords and checkpoints are rows and columns of zeros."""
    dense = PairTable.of(SUMS).to_array(["night", "dog", "cat"], ["b", "z", "a"])
    assert dense.shape == (len(FIELDS), 3, 3)
    total = dense[FIELDS.index("total")]
    assert numpy.array_equal(total, [[10.0, 0.0, 0.0], [0.0, 0.0, 0.0], [5.0, 0.0, 2.0]])


def test_an_empty_table_has_an_array_too():
    """Without pairs, and without keywords and checkpoints."""
    assert not PairTable.of({}).to_array(["cat"], ["a", "b"]).any()
    assert PairTable.of(SUMS).to_array([], []).shape == (len(FIELDS), 0, 0)
