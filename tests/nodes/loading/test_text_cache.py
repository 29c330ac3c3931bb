"""What the sampler remembers of encoded prompts."""

from __future__ import annotations

from context_checkpoint.nodes.loading.text_cache import TextCache


def test_the_texts_used_last_are_remembered() -> None:
    """Using a text keeps it; the one not used for longest goes first."""
    texts: TextCache[str] = TextCache(2)
    texts.remember("a", "A")
    texts.remember("b", "B")
    assert texts.put_aside("a")
    texts.remember("c", "C")
    assert not texts.put_aside("b")
    assert texts.put_aside("c")


def test_what_was_put_aside_survives_a_release_once() -> None:
    """A release between asking and running takes nothing away; afterwards it is gone."""
    texts: TextCache[str] = TextCache(2)
    texts.remember("a", "A")
    assert texts.put_aside("a")
    texts.forget()
    assert texts.take("a") == "A"
    assert texts.take("a") is None
    assert not texts.put_aside("a")
