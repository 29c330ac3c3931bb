"""What a prompt's keywords are."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context_checkpoint.learning.keywords import MOST_KEYWORDS, extract_keywords
from context_checkpoint.learning.prompt_words import singular

PIECES = "( () [( {a| (a:1.1) :1 /* // <a: <lora: embedding: a_ a' 1. \\( 写 写, ﷺ a\u0300 👩 \ud83d"


def texts(prompt: str) -> list[str]:
    return [keyword.text for keyword in extract_keywords(prompt)]


def weights(prompt: str) -> dict[str, float]:
    return {keyword.text: keyword.weight for keyword in extract_keywords(prompt)}


def test_the_documents_example_has_its_three_keywords():
    """A sentence gives its words, without grammar."""
    assert texts("photorealistic portrait of a woman") == ["photorealistic", "portrait", "woman"]


def test_the_documents_prompts_share_the_words_it_says_they_share():
    """ "anime girl", "anime boy" and "anime warrior" meet in "anime"."""
    assert texts("anime girl") == ["anime", "girl"]
    assert texts("anime boy") == ["anime", "boy"]
    assert "anime" in texts("anime warrior")


def test_a_tag_list_keeps_its_tags_whole_and_gives_their_words_too():
    """ "long hair" is one keyword, and its words are keywords."""
    assert texts("long hair, 1girl, Blue_Eyes") == [
        "long hair",
        "long",
        "hair",
        "1girl",
        "blue eyes",
        "blue",
        "eye",
    ]


def test_a_tag_and_a_sentence_that_say_the_same_meet():
    """The tag "long hair" and "a woman with long hair" share keywords."""
    assert set(texts("long hair, 1girl")) & set(texts("a woman with long hair")) == {"long", "hair"}


def test_a_piece_of_a_sentence_between_commas_is_no_tag():
    """Grammar words show that a segment is prose, however short."""
    assert "photo of a woman" not in texts("photo of a woman, smiling, in the park")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("(word:1.2)", {"word": 1.2}),
        ("(word)", {"word": 1.1}),
        ("((word))", {"word": 1.21}),
        ("[word]", {"word": 0.9}),
        ("((word:1.2))", {"word": 1.32}),
        ("(red (dress:1.5) hat:2)", {"red": 2.0, "dress": 3.0, "hat": 2.0}),
        ("(word: 1.2 )", {"word": 1.2}),
        ("(word:.5)", {"word": 0.5}),
        ("(word:-1)", {}),
        ("(word:0)", {}),
        ("(word:99)", {"word": 4.0}),
        ("(unclosed word", {"unclosed": 1.0, "word": 1.0}),
        ("unopened) word", {"unopened": 1.0, "word": 1.0}),
        ("(crossed [word) sky]", {"crossed": 1.0, "word": 0.9, "sky": 0.9}),
        ("{red|blue} car", {"red": 0.5, "blue": 0.5, "car": 1.0}),
        ("[cat:dog:0.5]", {"cat": 1.0, "dog": 1.0}),
        ("word (word:1.3) word", {"word": 1.3}),
    ],
)
def test_emphasis_becomes_weight(prompt: str, expected: dict[str, float]):
    """ComfyUI's and A1111's brackets, nested, broken and absurd."""
    assert weights(prompt) == pytest.approx(expected)


def test_escaped_brackets_are_letters_of_a_tag():
    r"""`saber \(fate\)` is the name of somebody, not emphasis."""
    assert weights(r"saber \(fate\), 1girl") == {"saber (fate)": 1.0, "saber": 1.0, "fate": 1.0, "1girl": 1.0}
    assert texts(r"saber_\(fate\)")[0] == "saber (fate)"


def test_loras_are_dropped():
    """`<lora:...>` names a file that other nodes load."""
    assert texts("<lora:add_detail:0.8> cat <lyco:x:1>, <hypernet:anime style:1>") == ["cat"]


def test_embeddings_stay_whole():
    """An embedding is a word somebody taught the encoder: one keyword, without its file's ending."""
    assert weights("embedding:EasyNegative.pt, (embedding:art/my-style:1.2) cat") == {
        "embedding:easynegative": 1.0,
        "embedding:art/my-style": 1.2,
        "cat": 1.0,
    }


def test_conjunctions_are_no_words_and_end_a_phrase():
    """BREAK and AND belong to the syntax when they are upper case."""
    assert texts("red BREAK car, x AND tree") == ["red", "car", "tree"]


def test_comments_are_not_read():
    """`/* */`, `//` and `#` lines, but neither an address nor an unclosed comment."""
    prompt = "tree // oak\n# dog\n/* cat\nbird */ sky, http://example.org, /* open"
    assert texts(prompt) == ["tree", "sky", "http", "example", "org", "open"]


def test_case_width_and_number_make_no_difference():
    """NFKC, case folding and plain plurals."""
    assert texts("ＷＯＭＡＮ") == texts("Women") == texts("woman's") == ["woman"]


@pytest.mark.parametrize(
    ("plural", "expected"),
    [
        ("cities", "city"),
        ("dresses", "dress"),
        ("boxes", "box"),
        ("heroes", "hero"),
        ("shoes", "shoe"),
        ("wolves", "wolf"),
        ("glass", "glass"),
        ("glasses", "glasses"),
        ("octopus", "octopus"),
        ("bokeh", "bokeh"),
        ("bus", "bus"),
        ("2girls", "2girls"),
        ("ties", "tie"),
    ],
)
def test_plain_plurals_become_singular(plural: str, expected: str):
    """What looks like a plural and is none stays as it is."""
    assert singular(plural) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("女性の肖像", ["女性", "肖像"]),
        ("長い髪の女性、アニメ", ["長", "髪", "女性", "アニメ"]),
        ("赛博朋克城市", ["赛博", "博朋", "朋克", "克城", "城市"]),
        ("写实风格，长发", ["写实风格", "写实", "实风", "风格", "长发"]),
        ("긴 머리를 가진 여자", ["긴", "머리", "가진", "여자"]),
        ("портрет женщины в лесу", ["портрет", "женщины", "лесу"]),
        ("مدينة كبيرة", ["مدينة", "كبيرة"]),
        ("หญิงสาว", ["หญิงสาว"]),
        ("हिन्दी कला", ["हिन्दी", "कला"]),
        ("🌸 girl 👩🏽‍🚀 🇯🇵", ["🌸", "girl", "👩", "🚀", "🇯🇵"]),
    ],
)
def test_other_scripts_have_keywords(prompt: str, expected: list[str]):
    """Chinese, Japanese and Korean without a dictionary, Cyrillic, Arabic, Thai, Hindi, emoji."""
    assert texts(prompt) == expected


def test_chinese_tags_and_sentences_meet():
    """Overlapping pairs let a longer run share keywords with a shorter one."""
    assert set(texts("长发")) <= set(texts("有长发的女人"))


@pytest.mark.parametrize(
    "prompt", ["", " \n\t", "!!!,,,((", ":1.2)", "1 2 3.5, 42", "<>", "\\", "\x00", "\ud83d"]
)
def test_a_prompt_without_words_has_no_keywords(prompt: str):
    """Nothing, only punctuation, only numbers, broken text."""
    assert extract_keywords(prompt) == ()


def test_at_most_so_many_keywords_are_read():
    """Those first in the prompt are kept."""
    found = texts(", ".join(f"word{number}x" for number in range(1000)))
    assert len(found) == MOST_KEYWORDS
    assert found[0] == "word0x"


@pytest.mark.parametrize("piece", [*PIECES.split(" "), "#\n", "word "])
def test_a_hundred_kilobytes_of_anything_take_bounded_time(piece: str):
    """No input makes a pattern search the same text again and again."""
    prompt = piece * (100_000 // len(piece))
    began = time.process_time()
    extract_keywords(prompt)
    assert time.process_time() - began < 1.0


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab,([{)]}:|\\<>_ .1/*#\nBREAK女の🌸"), max_size=60) | st.text(max_size=60))
def test_any_text_has_sane_keywords(prompt: str):
    """Whatever is typed: no error, bounded, storable, unique, and the same every time."""
    found = extract_keywords(prompt)
    assert len(found) <= MOST_KEYWORDS
    assert len({keyword.text for keyword in found}) == len(found)
    for keyword in found:
        keyword.text.encode("utf-8")
        assert keyword.text.strip() == keyword.text != ""
        assert len(keyword.text) <= 256
        assert 0.0 < keyword.weight <= 4.0
    assert extract_keywords(prompt) == found


@given(
    st.lists(st.sampled_from(["red", "fox", "night", "neon", "castle"]), min_size=1, max_size=5, unique=True)
)
def test_order_of_words_changes_no_set_of_keywords(words: list[str]):
    """A sentence's keywords are a set of its words."""
    assert set(texts(" ".join(words))) == set(texts(" ".join(reversed(words)))) == set(words)


@given(st.floats(0.01, 4.0), st.sampled_from(["cat", "blue sky", "写实"]))
def test_an_explicit_weight_is_kept(weight: float, words: str):
    """`(words:w)` gives each word the weight w."""
    given_weight = round(weight, 3)
    found = extract_keywords(f"({words}:{given_weight:.3f})")
    assert {keyword.weight for keyword in found} == {given_weight}
