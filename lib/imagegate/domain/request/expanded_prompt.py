"""The prompt in a language model's answer. Pure.

Models add unrequested text: reasoning, a preamble, quotation marks, Markdown, remarks and footnotes
(docs/protocols/yandexart.md#sdk). Image models would draw it.
"""

import re
import unicodedata

_REASONING = re.compile(r"^.*</think(?:ing)?>|<think(?:ing)?>.*$", re.DOTALL | re.IGNORECASE)
_FENCED = re.compile(r"```[^\n`]*\n(.+?)```", re.DOTALL)
_RULE = re.compile(r"^\s*([-*_=]\s*){3,}$")
_FOOTNOTE = re.compile(r"^\s*(\[\^?\w{1,3}\]:?\s|\^?[¹²³⁴-⁹]|\*(?!\*)\s?\S.*|\\\*|†)")
_REMARK = re.compile(
    r"^[\s*_>(\[]*(note|notes|p\.?\s?s\.?|disclaimer|negative prompt|explanation"
    r"|примечани[ея]|замечание|пояснение|сноска|важно)\b[*_\s]*[:.)—–-]"
    r"|^[\s*_>(]*(this (expanded |revised |detailed )?(prompt|description)\b|let me know|feel free|i hope|hope this"
    r"|would you like|if you('d| would)? (like|want|need)|надеюсь|если (хотите|нужно|вам)|дайте знать"
    r"|хотите,? чтобы|это описание|этот промпт|данный промпт)",
    re.IGNORECASE,
)
_MARK = re.compile(r"\[\^\w{1,3}\]|(?<=\w|[.,!?…])(?:[¹²³⁴-⁹†]|\\?\*(?=\s|$|[.,!?]))")
_EMPHASIS = re.compile(r"(\*\*|__|`)|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")
_HEADING = re.compile(r"^#{1,6}\s[^\n]*\n\s*(?=\S)")
_LINE_MARK = re.compile(r"^\s*(#{1,6}|>)\s+")
_YES = re.compile(
    r"^(sure( thing)?|certainly|of course|absolutely|okay|ok|конечно|разумеется|хорошо|с удовольствием)"
    r"(\s*[!.,]+\s+|\s+[—–-]\s+)",
    re.IGNORECASE,
)
_PROMPT = r"(prompt|description|промпт|описание|запрос|вариант|подсказка)"
_LABEL = re.compile(
    rf"^(here('s|’s| is| are| you go)\b|вот\b|([\w-]+\s+){{0,3}}{_PROMPT}\b)[^\n:]{{0,120}}:\s*(?=\S)", re.IGNORECASE
)
_LEAD_IN = re.compile(r"^[^\n]{1,160}:[ \t]*\n\s*\n\s*(?=\S)")
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“”", "«": "»", "‘": "’", "‹": "›", "「": "」"}
_REFUSAL = re.compile(
    r"^\W*(i['’]?m sorry|i am sorry|sorry[,.]|i (cannot|can['’]?t|won['’]?t|am unable|am not able)\b"
    r"|as an? (ai|language model)|unfortunately,? (i|this)\b|this (request|prompt) violates"
    r"|я не могу|не могу (помочь|сгенерировать|обсуждать)|к сожалению|извините|простите"
    r"|в интернете есть много сайтов|давайте (поговорим|сменим|попробуем))",
    re.IGNORECASE,
)


def extract_prompt(answer: str) -> str:
    """The prompt in a language model's answer, as one paragraph; empty when there is none."""
    text = unicodedata.normalize("NFC", _REASONING.sub("", answer)).strip()
    fenced = _FENCED.search(text)
    text = _without_preamble((fenced[1] if fenced else text).strip())
    text = _without_remarks(_unquoted(text))
    return _unquoted(_plain(_without_preamble(text)))


def is_refusal(text: str) -> bool:
    """True when a language model's answer is a refusal instead of a prompt."""
    return bool(_REFUSAL.match(text))


def _without_preamble(text: str) -> str:
    for pattern in (_HEADING, _LINE_MARK, _YES, _LEAD_IN, _LABEL):
        text = pattern.sub("", text.lstrip("*_ \n")).strip() or text
    return text


def _without_remarks(text: str) -> str:
    """The lines up to the first that no longer belongs to the prompt."""
    kept: list[str] = []
    for line in text.splitlines():
        if kept and (_RULE.match(line) or _FOOTNOTE.match(line) or _REMARK.match(line)):
            break
        if not _RULE.match(line):
            kept.append(_LINE_MARK.sub("", line))
    return "\n".join(kept)


def _unquoted(text: str) -> str:
    """What stands in the quotation marks that the text begins with, if only remarks come after them."""
    text = text.strip()
    closing = _QUOTES.get(text[:1], "")
    end = max((text.rfind(mark) for mark in closing), default=-1)
    if end <= 0 or not _is_remark(text[end + 1 :]):
        return text
    inside = text[1:end]
    return text if any(mark in inside for mark in closing) and text[0] != "'" else inside.strip()


def _is_remark(rest: str) -> bool:
    return not rest.strip(" .*†¹²³") or rest.lstrip(" .*†¹²³").startswith("\n")


def _plain(text: str) -> str:
    """One line without marks of footnotes and emphasis, and without control characters."""
    text = _EMPHASIS.sub("", _MARK.sub("", text))
    return " ".join(
        "".join(" " if unicodedata.category(character) == "Cc" else character for character in text).split()
    )
