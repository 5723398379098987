"""Of a language model's answer only the prompt is kept, and it is never longer than what takes it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegate.domain.request.expanded_prompt import extract_prompt, is_refusal
from imagegate.domain.request.expansion import build_instruction, prompt_budget, shorten, whole_sentences
from imagegate.domain.request.geometry import Grid
from imagegate.domain.request.limits import CompletionMode, Limits
from imagegate.domain.request.request import ImageRequest, Message

FOX = "A red fox in deep snow, lit by a low sun."
LIS = "Рыжая лиса в глубоком снегу, в лучах низкого солнца."


@pytest.mark.parametrize(
    ("answer", "prompt"),
    [
        (FOX, FOX),
        (f"  {FOX}\n", FOX),
        ("A fox.\nDeep snow.\n\nLow sun.", "A fox. Deep snow. Low sun."),
        # preambles
        (f"Here is the expanded prompt: {FOX}", FOX),
        (f"Here's a vivid prompt for your picture of a red fox:\n\n{FOX}", FOX),
        (f"Sure! Here’s the prompt:\n{FOX}", FOX),
        (f"Certainly, here is the description: {FOX}", FOX),
        (f"Sure. {FOX}", FOX),
        (f"Prompt: {FOX}", FOX),
        (f"**Prompt:** {FOX}", FOX),
        (f"**Expanded prompt**: {FOX}", FOX),
        (f"### Detailed image prompt\n\n{FOX}", FOX),
        (f"# Prompt:\n{FOX}", FOX),
        (f"Конечно! Вот расширенное описание:\n\n{LIS}", LIS),
        (f"Вот промпт для генерации изображения: {LIS}", LIS),
        (f"Расширенный промпт: {LIS}", LIS),
        (f"Um das Bild zu zeichnen, schlage ich vor:\n\n{FOX}", FOX),
        # quotation marks
        (f'"{FOX}"', FOX),
        (f"“{FOX}”", FOX),
        (f"«{LIS}»", LIS),
        (f"„{FOX}“", FOX),
        (f"'{FOX}'", FOX),
        (f'Here is the prompt: "{FOX}"', FOX),
        (f'"{FOX}"\n\nThis prompt keeps the mood of yours.', FOX),
        (f'**"{FOX}"**', FOX),
        # remarks and footnotes
        (f"{FOX}\n\nNote: I have added the sun.", FOX),
        (f"{FOX}\n\n*Note: I have added the sun.*", FOX),
        (f"{FOX}\n\n(Note: the sun was not asked for.)", FOX),
        (f"{FOX}\n\nLet me know if you want more snow!", FOX),
        (f"{FOX}\n\n---\n\nA second one: a blue fox.", FOX),
        (f"{FOX}[^1]\n\n[^1]: Vulpes vulpes.", FOX),
        (f"{FOX}¹\n\n¹ Vulpes vulpes.", FOX),
        (f"{FOX}*\n\n* The sun is an addition.", FOX),
        (f"{FOX}\n\n**Negative prompt:** blurry", FOX),
        (f"{LIS}\n\nПримечание: солнце добавлено от себя.", LIS),
        (f"{LIS}*\n\n*Это описание можно изменить.", LIS),
        (f"{LIS}\n\nЕсли хотите, я добавлю деталей.", LIS),
        # Markdown, reasoning, odd characters
        ("A **red fox** in *deep* snow, lit by a `low` sun.", FOX),
        (f"```\n{FOX}\n```", FOX),
        (f"Here you go:\n```text\n{FOX}\n```\nEnjoy!", FOX),
        (f"> {FOX}", FOX),
        (f"<think>The user wants\n\na fox.</think>\n\n{FOX}", FOX),
        (f"The user wants a fox.</think>{FOX}", FOX),
        ("A fox\x00 in\tsnow\x1b.", "A fox in snow ."),
        # what looks like decoration and is not
        ("A diner whose sign reads: OPEN", "A diner whose sign reads: OPEN"),
        ('A sign that says "OPEN" at dusk', 'A sign that says "OPEN" at dusk'),
        ('"OPEN" and "CLOSED", two signs', '"OPEN" and "CLOSED", two signs'),
        ("A sure-footed goat", "A sure-footed goat"),
        ("Sure-footed goats on a cliff", "Sure-footed goats on a cliff"),
        ("Notebook on a desk\nNoted for its shadow", "Notebook on a desk Noted for its shadow"),
        ("Two numbers, 3*4 and snake_case_words", "Two numbers, 3*4 and snake_case_words"),
        ("[delay 3s] [fault http-503 x1] a fox", "[delay 3s] [fault http-503 x1] a fox"),
        # nothing at all
        ("", ""),
        ("<think>Let me see", ""),
        ('""', ""),
        ("```\n\n```", ""),
    ],
)
def test_what_is_kept_of_an_answer(answer: str, prompt: str) -> None:
    assert extract_prompt(answer) == prompt


@given(st.text(max_size=300))
def test_whatever_the_answer_one_line_is_left(answer: str) -> None:
    once = extract_prompt(answer)
    assert "\n" not in once
    assert once == once.strip()
    assert len(once) <= 3 * len(answer)  # only Unicode's own composition may make it longer


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot create this description.",
        "As an AI language model, I must decline.",
        "Unfortunately, I am not able to do this.",
        "Я не могу обсуждать эту тему. Давайте поговорим о чём-нибудь ещё.",
        "В интернете есть много сайтов с информацией на эту тему.",
        "К сожалению, я не могу это описать.",
    ],
)
def test_an_excuse_is_no_prompt(answer: str) -> None:
    assert is_refusal(extract_prompt(answer))


@pytest.mark.parametrize("prompt", [FOX, LIS, "An icon of an iPad", "Sorrowful fox", "I, a fox, in snow"])
def test_a_prompt_is_no_excuse(prompt: str) -> None:
    assert not is_refusal(prompt)


@pytest.mark.parametrize(
    ("text", "characters", "cut"),
    [
        ("A fox.", 6, "A fox."),
        ("A fox in snow. A low sun behind it", 20, "A fox in snow."),
        ("A fox. A low sun behind the trees", 20, "A fox. A low sun"),
        ("A fox, a low sun, a tree", 18, "A fox, a low sun"),
        ("A fox (in snow, at dusk)", 8, "A fox"),
        ("Is it a fox? It is, and it is red.", 13, "Is it a fox?"),
        ("3.14 and some more digits", 10, "3.14 and"),
        ("狐狸在雪地里奔跑", 4, "狐狸在雪"),
        ("x" * 30, 10, "x" * 10),
        ("aaaae\u0301bbb", 5, "aaaa"),
        ("aaa\U0001f469\u200d\U0001f680bbb", 5, "aaa"),
        ("A fox", 1, "A"),
    ],
)
def test_a_cut_falls_between_sentences_or_words(text: str, characters: int, cut: str) -> None:
    assert shorten(text, characters) == cut


@given(st.text(max_size=200), st.integers(1, 100))
def test_a_cut_is_a_beginning_and_fits(text: str, characters: int) -> None:
    cut = shorten(text, characters)
    assert len(cut) <= characters
    assert text.startswith(cut)


def test_a_sentence_that_was_broken_off_is_dropped() -> None:
    assert whole_sentences("A fox. A low sun beh") == "A fox."
    assert whole_sentences("A fox in") == "A fox in"


def limits(characters: int) -> Limits:
    return Limits(completion=CompletionMode.POLL, grid=Grid(64, 2048, 8), prompt_characters=characters)


def test_what_is_to_be_avoided_stays_and_takes_its_part_of_the_room_where_both_are_sent() -> None:
    messages = (Message("a house", 1.0), Message("a fox", 5.0), Message("fog", -1.0))
    request = ImageRequest(model="flux", messages=messages)
    assert request.prompt == "a fox\na house"
    reworded = request.with_prompt(FOX)
    assert reworded.prompt == FOX
    assert [message for message in reworded.messages if message.weight < 0] == [Message("fog", -1.0)]
    assert prompt_budget(request, limits(100)) == 100
    weighing = replace(limits(100), supports_weights=True)
    left = prompt_budget(request, weighing)
    assert weighing.prompt_length(request.with_prompt("x" * left)) == 100


def test_no_more_is_wanted_than_is_of_use() -> None:
    request = ImageRequest(model="flux", messages=(Message("a fox"),))
    assert [prompt_budget(request, limits(fits)) for fits in (500, 32_000)] == [500, 1500]
    assert "at most 500 characters" in build_instruction(500)
