"""Multiple choice: letters, their content, and whether the two agree."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_MARK = r"(?:\(\s*([A-J])\s*\)|（\s*([A-J])\s*）|\b([A-J])\s*[.)、:：．）]|\[([A-J])\])"
_OPTION = re.compile(rf"(?:^|(?<=[\s,;，；。?？!$])){_MARK}\s*", re.MULTILINE)
_LATEX_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf|textit)\s*\{([^{}]*)\}")
_LEAD = re.compile(
    r"^(?:(?:the\s+)?(?:correct\s+)?(?:answer|choice|option)s?\s*(?:is|are|:)?\s*:?\s*)+"
    r"|^(?:答案|正确答案|选项|故选|应选|选择?)(?:是|为|:|：)?\s*",
    re.IGNORECASE,
)
_LETTER_FIRST = re.compile(
    r"^[\(\[（]?\s*([A-Ja-j])\s*(?:[\)\]）]\s*[.:、：]?|[.:、：)．]|$)\s*(.*)$", re.DOTALL
)
_LETTERS_ONLY = re.compile(
    r"[\(\[（]?\s*[A-J]\s*[\)\]）]?(?:\s*(?:,|、|，|;|and|&|和|\s)?\s*[\(\[（]?\s*[A-J]\s*[\)\]）]?)*\.?"
)
_REFERENCE = re.compile(r"\(?\s*([A-J](?:\s*[,、;]?\s*[A-J])*)\s*[).]?")
_MAX_QUESTION = 20_000
_FULL_WIDTH = {ord("Ａ") + i: chr(ord("A") + i) for i in range(10)}


@lru_cache(maxsize=4096)
def options(question: str | None) -> dict[str, str]:
    """Return the options that a question lists, letter → content; at least A and B, in order."""
    if not question:
        return {}
    question = question[:_MAX_QUESTION]
    marks = [
        (m.start(), m.end(), next(g for g in m.groups() if g)) for m in _OPTION.finditer(question)
    ]
    start = max((i for i, mark in enumerate(marks) if mark[2] == "A"), default=None)
    if start is None:
        return {}
    found: dict[str, str] = {}
    for index in range(start, len(marks)):
        _, end, letter = marks[index]
        if letter != chr(ord("A") + len(found)):
            break
        stop = marks[index + 1][0] if index + 1 < len(marks) else len(question)
        content = question[end:stop].strip().rstrip(",;，；")
        found[letter] = content.split("\n")[0].strip() if index + 1 == len(marks) else content
    return found if len(found) >= 2 else {}


def letters(text: str) -> frozenset[str] | None:
    """Return the letters of an answer that is nothing else ("A, C", "(B)", "ACD"), or None."""
    text = _plain(text)
    if _LETTERS_ONLY.fullmatch(text):
        found = re.findall(r"[A-J]", re.sub(r"and", " ", text))
        return frozenset(found) if len(set(found)) == len(found) else None
    if re.fullmatch(r"[\(\[（]?[a-j][\)\]）]?\.?", text):
        return frozenset(re.findall(r"[a-j]", text)[0].upper())
    return None


def statements(text: str) -> frozenset[str] | None:
    """Return the circled numbers of "①③" (the true statements of a question), or None."""
    text = _plain(text) if len(text) < 200 else ""
    found = re.findall("[①-⑳]", text)
    if not found or re.sub("[①-⑳,，、;；.。\\s]|和|与|and", "", text):
        return None
    return frozenset(found) if len(set(found)) == len(found) else None


def reference_letters(text: str) -> frozenset[str] | None:
    """Return the letters of a reference such as "B", "(B)" or "A, C", or None."""
    match = _REFERENCE.fullmatch(text.strip())
    return frozenset(re.findall(r"[A-J]", match[1])) if match else None


def matches(answer: str, expected: frozenset[str], listed: dict[str, str]) -> tuple[bool, str]:
    """Return whether ``answer`` chooses exactly the ``expected`` letters, and why."""
    chosen = letters(answer)
    if chosen is not None:
        return chosen == expected, "the letters compared"
    text = _plain(answer)
    match = _LETTER_FIRST.match(text)
    if match and match[2]:
        letter, content = match[1].upper(), match[2]
        if frozenset(letter) != expected:
            return False, "another letter"
        if not listed:
            return not _names_other(content, letter), "a letter with its content"
        agrees = folded(content) == folded(listed.get(letter, ""))
        return (
            agrees,
            "letter and content agree" if agrees else "the content contradicts the letter",
        )
    by_content = {letter for letter, content in listed.items() if folded(content) == folded(text)}
    if by_content:
        return by_content == expected, "the content of an option"
    return False, "neither a letter nor an option's content"


def _names_other(content: str, letter: str) -> bool:
    """Whether the words after a letter name another letter ("B or C")."""
    return bool(set(re.findall(r"\b[A-J]\b", content)) - {letter})


def folded(text: str) -> str:
    """Fold case, spacing, LaTeX commands and closing punctuation, for comparing."""
    text = unicodedata.normalize("NFKC", _plain(text)).casefold()
    text = text.replace("$", "").replace("\\(", "").replace("\\)", "").replace("\\", "")
    return re.sub(r"[\s{}]+", "", text).rstrip(".。;,")


def _plain(text: str) -> str:
    text = text.translate(_FULL_WIDTH).strip()
    for _ in range(3):
        text = _LATEX_TEXT.sub(r"\1", text)
    text = text.replace("$", " ").replace("**", " ").replace("\\(", "(").replace("\\)", ")").strip()
    return _LEAD.sub("", text.strip()).strip()
