"""What a prompt's keywords are."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context_checkpoint.learning.prompts.keywords import (
    MOST_KEYWORDS,
    MOST_NEGATIVE,
    extract_keywords,
    negative_keywords,
)
from context_checkpoint.learning.prompts.vocabulary import QUALITY_WORDS
from context_checkpoint.learning.prompts.word_forms import one_form, singular

PIECES = "( () [( {a| (a:1.1) :1 /* // <a: <lora: embedding: a_ a' 1. \\( 写 写, ﷺ a\u0300 👩 \ud83d"


def texts(prompt: str) -> list[str]:
    return [keyword.text for keyword in extract_keywords(prompt)]


def weights(prompt: str) -> dict[str, float]:
    return {keyword.text: keyword.weight for keyword in extract_keywords(prompt)}


def test_the_documents_example_has_its_three_keywords():
    """A sentence gives its words, without grammar; its phrases come after them."""
    words = ["photorealistic", "portrait", "woman"]
    assert texts("photorealistic portrait of a woman") == [*words, "photorealistic portrait"]
    alone = extract_keywords("photorealistic portrait of a woman", phrases=False)
    assert [keyword.text for keyword in alone] == words


def test_the_documents_prompts_share_the_words_it_says_they_share():
    """ "anime girl", "anime boy" and "anime warrior" meet in "anime"."""
    assert texts("anime girl") == ["anime", "girl", "anime girl"]
    assert texts("anime boy") == ["anime", "boy", "anime boy"]
    assert "anime" in texts("anime warrior")


def test_a_tag_list_keeps_its_tags_whole_and_gives_their_words_too():
    """ "long hair" is one keyword, and its words are keywords."""
    assert texts("long hair, 1girl, Blue_Eyes") == [
        "long hair",
        "long",
        "hair",
        "1girl",
        "blue eye",
        "blue",
        "eye",
    ]


def test_a_tag_and_a_sentence_that_say_the_same_meet():
    """The tag "long hair" and "a woman with long hair" share keywords, and so do longer tags."""
    shared = set(texts("long hair, 1girl")) & set(texts("a woman with long hair"))
    assert shared == {"long", "hair", "long hair"}
    shared = set(texts("long blonde hair, 1girl")) & set(texts("a girl with blonde hair"))
    assert shared == {"blonde", "hair", "blonde hair"}


def test_a_sentence_gives_its_two_word_phrases():
    """Words side by side, not words with grammar, a number or the end of a sentence between them."""
    keywords = texts("An oil painting of a fox with film grain by Greg Rutkowski. Night falls")
    assert [text for text in keywords if " " in text] == [
        "oil painting",
        "film grain",
        "greg rutkowski",
        "night fall",
    ]


def test_a_phrase_of_a_lone_sentence_has_half_the_weight():
    """It repeats what the sentence's words say; in a list it counts like the tag that it may be elsewhere."""
    assert weights("(oil painting:1.2) of a fox")["oil painting"] == 0.6
    assert weights("(oil painting:1.2) of a fox, dusk")["oil painting"] == 1.2


def test_quality_words_make_no_phrases():
    """The order of boosters is not informative."""
    assert [text for text in texts("masterpiece highly detailed fox in best quality") if " " in text] == []


def test_quality_words_are_spelled_as_keywords_are():
    """Else none of them would ever be met in a prompt."""
    for word in QUALITY_WORDS:
        read = negative_keywords if word.startswith("-") else extract_keywords
        assert word in [keyword.text for keyword in read(f"{word}, fox")], word


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
        (
            "(red (dress:1.5) hat:2)",
            {"red": 2.0, "dress": 3.0, "hat": 2.0, "red dress": 1.25, "dress hat": 1.25},
        ),
        ("(word: 1.2 )", {"word": 1.2}),
        ("(word:.5)", {"word": 0.5}),
        ("(word:-1)", {}),
        ("(word:0)", {}),
        ("(word:99)", {"word": 4.0}),
        ("(unclosed word", {"unclosed": 1.0, "word": 1.0, "unclosed word": 0.5}),
        ("unopened) word", {"unopened": 1.0, "word": 1.0, "unopened word": 0.5}),
        (
            "(crossed [word) sky]",
            {"crossed": 1.0, "word": 0.9, "sky": 0.9, "crossed word": 0.475, "word sky": 0.45},
        ),
        ("{red|blue} car", {"red": 0.5, "blue": 0.5, "car": 1.0}),
        ("[cat:dog:0.5]", {"cat": 1.0, "dog": 1.0}),
        ("word (word:1.3) word", {"word": 1.3}),
    ],
)
def test_emphasis_becomes_weight(prompt: str, expected: dict[str, float]):
    """ComfyUI's and A1111's brackets, nested, broken and absurd."""
    assert weights(prompt) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("photo-realistic fox", "photorealistic fox"),
        ("photo realistic fox", "photorealistic fox"),
        ("Photo - Realistic fox", "photorealistic fox"),
        ("cyber punk city", "cyberpunk city"),
        ("sci-fi ships", "scifi ship"),
        ("Sci Fi ships", "scifi ship"),
        ("3-d render", "3d render"),
        ("3 D render", "3d render"),
        ("8 k", "8k"),
        ("close-up of a fox", "close up of a fox"),
        ("colours", "color"),
        ("a grey watercolour", "a gray water color"),
        ("stylised armour in the centre", "stylized armor in the center"),
        ("waist-up, fox", "waist up, fox"),
        ("waist_up, fox", "Waist  Up, fox"),
        ("wide-angle, fox", "wide angle, fox"),
        ("a wide-angle shot", "a wide angle shot"),
        ("blue_eyes, red Foxes", "BLUE EYES, red fox"),
        ("woman\u2019s hat", "women hats"),
    ],
)
def test_ways_of_spelling_meet(one: str, other: str):
    """Hyphens, one word and two, British and American, case, underscores, plurals: the same keywords."""
    assert set(texts(one)) == set(texts(other)) != set()


@pytest.mark.parametrize("word", ["hour", "tour", "contour", "four", "rise", "noise", "surprised", "pour"])
def test_words_that_only_look_british_stay(word: str):
    """Few rules, and narrow ones."""
    assert texts(word) == [word]


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
    """`/* */` and `//`, but neither an address nor an unclosed comment, nor a line with `#`, which ComfyUI sends."""
    prompt = "tree // oak\n# dog\n/* cat\nbird */ sky, http://example.org, /* open"
    assert texts(prompt) == ["tree", "dog", "sky", "http", "example", "org", "open"]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("red AND_PERP car, x ADDROW tree, lake ADDBASE", ["red", "car", "tree", "lake"]),
        ("__animals__ in a __place/city-1__", []),
        ("${season=winter} day, ${season}, ${season:summer} sky", ["winter day", "winter", "day", "summer sky"]),
        ("{2$$ and $$0.5::cat|dog}", ["cat", "dog"]),
        ("snake_case, __init", ["snake case", "snake", "case", "init"]),
    ],
)
def test_operators_of_other_tools_are_no_keywords(prompt: str, expected: list[str]):
    """Those of A1111 and dynamic prompts: the words between them are."""
    assert texts(prompt)[: len(expected)] == expected
    assert not set(texts(prompt)) & {"season", "addrow", "perp", "animals", "animal", "city"}


@pytest.mark.parametrize("separator", [" ", ", ", "\n", "\uff0c"])
def test_a_long_prompt_ends_with_a_whole_word(separator: str):
    """Wherever the part that is read ends."""
    for filling in range(12):
        words = texts("x" * filling + separator + separator.join(["lighthouse"] * 2000))
        assert [word for word in words if "lighthouse".startswith(word) and word != "lighthouse"] == []


def test_a_long_sentence_without_spaces_is_read_to_its_end():
    """Longer than any word may be."""
    assert "湖泊" in texts(
        "一位穿着红色连衣裙的年轻女子站在樱花树下微笑看着远方的山脉和晨光温柔背景虚化细节丰富高清摄影湖泊"
    )


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
        ("highres", "highres"),
        ("james", "james"),
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
        ("少女が桜の木の下に立っている", ["少女", "桜", "木", "下", "立"]),
        ("赛博朋克城市", ["赛博", "博朋", "朋克", "克城", "城市"]),
        ("写实风格，长发", ["写实风格", "写实", "实风", "风格", "长发"]),
        ("긴 머리를 가진 여자", ["긴", "머리", "가진", "여자", "긴 머리", "머리 가진", "가진 여자"]),
        ("портрет женщины в лесу", ["портрет", "женщины", "лесу", "портрет женщины"]),
        ("مدينة كبيرة", ["مدينة", "كبيرة", "مدينة كبيرة"]),
        ("หญิงสาว", ["หญิ", "ญิง", "งสา", "สาว"]),
        ("หมา, แมว", ["หมา", "แมว"]),
        ("ພາສາລາວ", ["ພາສາ", "ສາລາ", "ລາວ"]),
        ("ក្រុងភ្នំពេញ", ["ក្រុង", "ងភ្នំ", "ភ្នំពេ", "ពេញ"]),
        ("မြန်မာ", ["မြန်", "န်မာ"]),
        ("हिन्दी कला", ["हिन्दी", "कला", "हिन्दी कला"]),
        ("🌸 girl 👩🏽‍🚀 🇯🇵", ["🌸", "girl", "👩", "🚀", "🇯🇵"]),
    ],
)
def test_other_scripts_have_keywords(prompt: str, expected: list[str]):
    """Chinese, Japanese and Korean without a dictionary, Cyrillic, Arabic, Thai, Lao, Khmer, Burmese, Hindi, emoji."""
    assert texts(prompt) == expected


def test_chinese_tags_and_sentences_meet():
    """Overlapping pairs let a longer run share keywords with a shorter one."""
    assert set(texts("长发")) <= set(texts("有长发的女人"))


@pytest.mark.parametrize("prompt", ["", " \n\t", "!!!,,,((", ":1.2)", "1 2 3.5, 42", "<>", "\\", "\x00", "\ud83d"])
def test_a_prompt_without_words_has_no_keywords(prompt: str):
    """Nothing, only punctuation, only numbers, broken text."""
    assert extract_keywords(prompt) == ()


def test_at_most_so_many_keywords_are_read():
    """Those first in the prompt are kept, and words before phrases."""
    keywords = texts(", ".join(f"word{number}x" for number in range(1000)))
    assert len(keywords) == MOST_KEYWORDS
    assert keywords[0] == "word0x"
    keywords = texts(" ".join(f"word{number}x" for number in range(80)))
    assert len(keywords) == MOST_KEYWORDS
    assert sum(" " in text for text in keywords) == MOST_KEYWORDS - 80


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
    keywords = extract_keywords(prompt)
    assert len(keywords) <= MOST_KEYWORDS
    assert len({keyword.text for keyword in keywords}) == len(keywords)
    for keyword in keywords:
        keyword.text.encode("utf-8")
        assert keyword.text.strip() == keyword.text != ""
        assert len(keyword.text) <= 256
        assert 0.0 < keyword.weight <= 4.0
    assert extract_keywords(prompt) == keywords


@given(st.lists(st.sampled_from(["red", "fox", "night", "neon", "castle"]), min_size=1, max_size=5, unique=True))
def test_order_of_words_changes_no_set_of_keywords(words: list[str]):
    """A sentence's keywords are a set of its words, its phrases aside; a tag list's are a set of its tags."""
    for order in (words, words[::-1]):
        assert {word.text for word in extract_keywords(" ".join(order), phrases=False)} == set(words)
        assert set(texts(", ".join(order))) == set(words)


@given(st.floats(0.01, 4.0), st.sampled_from(["cat", "blue sky", "写实"]))
def test_an_explicit_weight_is_kept(weight: float, words: str):
    """`(words:w)` gives each word the weight w."""
    given_weight = round(weight, 3)
    keywords = extract_keywords(f"({words}:{given_weight:.3f})")
    assert {keyword.weight for keyword in keywords if keyword.text != "blue sky"} == {given_weight}


def test_a_choice_makes_no_phrase_with_what_follows():
    """What stands behind a choice belongs to each of the alternatives."""
    assert texts("an old {red|blue} car") == ["old", "red", "blue", "car"]


def _variants(prompt: str) -> list[str]:
    """The same prompt as somebody else might type it: only letters, blanks and line breaks differ."""
    return [
        prompt.replace(" ", "  "),
        f"\t{prompt} \n",
        re.sub(r"\b[a-z]", lambda letter: letter.group().upper(), prompt),
        re.sub(r"(?<=[a-z]) (?=[a-z])", "_", prompt) if "," in prompt else prompt,
    ]


def _assert_sane(prompt: str) -> None:
    keywords = extract_keywords(prompt)
    assert extract_keywords(prompt) == keywords
    assert len(keywords) <= MOST_KEYWORDS
    assert len({keyword.text for keyword in keywords}) == len(keywords)
    for keyword in keywords:
        keyword.text.encode("utf-8")
        assert keyword.text == keyword.text.strip().casefold() != ""
        assert "-" not in keyword.text[0]
        assert 0.0 < keyword.weight <= 4.0
        assert all(one_form(word) == word for word in keyword.text.split() if word.isalpha())


_FRAGMENTS = "long hair|Oil Painting|(blue eyes:1.2)|of a|photo-realistic|sci-fi|8 k|colours|ships|写实风格|in"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(_FRAGMENTS.split("|")), min_size=1, max_size=12), st.sampled_from([", ", " "]))
def test_case_blanks_and_underscores_change_nothing(fragments: list[str], between: str):
    """However a prompt is typed, its keywords are the same."""
    prompt = between.join(fragments).lower()
    for variant in _variants(prompt):
        assert set(texts(variant)) == set(texts(prompt)), variant


def test_real_prompts_have_sane_keywords_however_they_are_typed():
    """Every third line of the .txt files in the folder that CC_DATA names: real people's prompts, one a line."""
    folder = os.environ.get("CC_DATA")
    if not folder:
        pytest.skip("NOT RUN: set CC_DATA to a folder with prompts, one a line, in .txt files")
    prompts = [line for file in Path(folder).glob("*.txt") for line in file.read_text("utf-8").splitlines()]
    assert prompts
    for typed in prompts[::3]:  # all of them take half a minute
        _assert_sane(typed)
        prompt = typed.lower()
        if len(extract_keywords(prompt)) < MOST_KEYWORDS:
            for variant in _variants(prompt)[:3]:
                assert set(texts(variant)) == set(texts(prompt)), variant


def test_a_negative_prompt_is_a_context_of_its_own():
    """Marked, weighted, without phrases, and never the same as any keyword of a prompt."""
    keywords = negative_keywords("(anime:1.3), bad hands, blurry photo of a fox")
    assert [keyword.text for keyword in keywords] == [
        "-anime",
        "-bad hand",
        "-blurry",
        "-photo",
        "-fox",
        "-bad",
        "-hand",
    ]
    assert keywords[0].weight == 1.3
    assert negative_keywords(" ,") == ()
    assert [keyword.text for keyword in negative_keywords("bad hands")] == ["-bad hand", "-bad", "-hand"]


def test_of_a_long_negative_prompt_whole_tags_come_before_the_words_in_them():
    """What people paste has more tags and words than are read."""
    tags = [
        f"bad {word}" for word in ("hand", "foot", "eye", "nose", "lip", "ear", "arm", "leg", "neck", "chin", "toe")
    ]
    tags += [f"ugly {tag.removeprefix('bad ')}" for tag in tags]
    assert len(tags) < MOST_NEGATIVE < len(extract_keywords(", ".join(tags), phrases=False))
    keywords = negative_keywords(", ".join(tags))
    assert [keyword.text for keyword in keywords][: len(tags)] == [f"-{tag}" for tag in tags]
    assert len(keywords) == MOST_NEGATIVE


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab-,([{)]}:\\<>_ 1女"), max_size=60))
def test_no_keyword_of_a_prompt_looks_like_one_of_a_negative_prompt(text: str):
    """Whatever is typed, the two never meet; and a negative prompt has few."""
    negative = negative_keywords(text)
    assert not {keyword.text for keyword in negative} & set(texts(text))
    assert len(negative) <= MOST_NEGATIVE


def test_a_long_negative_prompt_gives_its_first_words():
    """A pasted list does not outweigh the prompt."""
    keywords = negative_keywords(", ".join(f"word{number}x" for number in range(200)))
    assert len(keywords) == MOST_NEGATIVE
    assert keywords[0].text == "-word0x"
