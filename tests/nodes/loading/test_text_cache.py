"""The cache of encoded prompts."""

from __future__ import annotations

from context_checkpoint.nodes.loading.text_cache import TextCache


def test_the_texts_used_last_stay_in_the_cache() -> None:
    """Use keeps a text in; the least recently used one is dropped first."""
    texts: TextCache[str] = TextCache(2)
    texts.put("a", "A")
    texts.put("b", "B")
    assert texts.reserve("a")
    texts.put("c", "C")
    assert not texts.reserve("b")
    assert texts.reserve("c")


def test_a_reserved_text_survives_a_release_once() -> None:
    """A release between the reservation and the run takes nothing away; afterwards it is gone."""
    texts: TextCache[str] = TextCache(2)
    texts.put("a", "A")
    assert texts.reserve("a")
    texts.clear()
    assert texts.take("a") == "A"
    assert texts.take("a") is None
    assert not texts.reserve("a")
