r"""What is said of an answer's letters behind it, taken off: ``k \in \mathbb{Z}``, "for all x".

A rider begins at a separator or at a word such as "where", and reaches to the end of the text.
Which sets letters run over is kept, and so are inequalities, because they may matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

INTEGER_DOMAINS = frozenset(["Z", "N", "N0", "N+"])


@dataclass(frozen=True, slots=True)
class Riders:
    """What an answer says of its letters.

    domains: letter → the set it runs over: Z, N (with or without zero), N0, N+, Q, R, R+, C, or
    "" where none is named (constants, "for all x"). conditions: inequalities as they are
    written, such as ``x>0``.
    """

    domains: dict[str, str] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, str]:
        """Return the letters that run over integers, with their sets."""
        if not self.domains:
            return self.domains
        return {name: kind for name, kind in self.domains.items() if kind in INTEGER_DOMAINS}


NO_RIDERS = Riders()

_MAX_TEXT = 4096
_MAX_TAIL = 160
_MAX_STARTS = 24
_WORTH_TRYING = re.compile(
    r"\b(?:for|where|with|any|all|some|every|whenever|given|arbitrary|integers?)\b|\\in(?![a-z])|∈"
    r"|[(（,，]\s*[^(（,，<>=]{1,24}(?:[<>≤≥≠]|\\[lg]eq?|\\[lg]t|\\neq?)"
    r"|forall|∀|整数|实数|常数|有理数|自然数|其中|(?<![A-Za-z])[a-z]\s+in\s"
)
# A quick look first, because most answers have no riders: every branch begins with a letter.
_MARK = re.compile(
    r"for|where|with|any|all|some|every|given|arb|integ| in |\\in|\\l|\\g|\\ne|<|>|∈|∀|≤|≥|≠|数|其"
)
# What follows a quantifier at the start is what the statement says.
_STATEMENT = re.compile(r"[\s$]*(?:\\forall|\\exists|∀|∃)")
_BUILDER = re.compile(
    r"\s*\$?(?:\\left)?\s*\\\{\s*[a-zA-Z]\s*(?:\\mid|\\vert|\||:|｜)(?P<inside>.*?)"
    r"(?:\\right)?\s*\\\}\$?\s*",
    re.DOTALL,
)
_SEPARATOR = r"(?:[\s,;.(，；（:]|\\q?quad(?![a-z])|\\[ ,;:]|\\(?:text|mathrm|textrm|mbox)\s*\{|\$)"
_START = re.compile(
    rf"{_SEPARATOR}+(?=(?:for|where|with|whenever|given|any|all|every|some|integer)\b"
    r"|\\forall|∀|其中|对|任意|\$?\s*[a-zA-Z](?![a-zA-Z])|-?(?:\d|\\frac))|(?<=.)(?=\\forall|∀|其中)"
)
# "for all x" before another clause; at the end it is a rider like any other.
_FOR_ALL_REALS = re.compile(
    r"(?:\\text\s*\{\s*for\s+(?:all|every|any)(?:\s+real)?\s*\}|\bfor\s+(?:all|every|any)(?:\s+real)?)"
    r"\s*\$?[a-z]\$?(?:\s*(?:\\in|∈)\s*(?:\\mathbb\s*\{?R\}?|ℝ))?"
    r"(?=\s*(?:,\s*)?(?:\\text\s*\{\s*)?(?:and|or)\b)"
)
_SIGNS = (
    (re.compile(r"\\(?:text|mathrm|textrm|mbox|rm)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\(?:mathbb|mathbf|Bbb)\s*\{?\s*([ZNQRC])\s*\}?"), r"@\1"),
    (re.compile(r"\\([ZNQRC])(?![A-Za-z])"), r"@\1"),
    (re.compile(r"(?:\\in|∈)(?![a-z])|(?<=[a-zA-Z]) in (?=\s*[@ZNQRC])"), " in "),
    (re.compile(r"\\forall|∀"), " for all "),
    (re.compile(r"\\gt(?![a-z])"), ">"),
    (re.compile(r"\\lt(?![a-z])"), "<"),
    (re.compile(r"\\geq?(?:slant)?(?![a-z])|≥|⩾"), ">="),
    (re.compile(r"\\leq?(?:slant)?(?![a-z])|≤|⩽"), "<="),
    (re.compile(r"\\neq?(?![a-z])|≠"), "!="),
    (re.compile(r"\$|\\q?quad(?![a-z])|\\[ ,;:!]|\\[()]"), " "),
    (re.compile(r"[（(]\s*(?=[^()]*$)|(?<=[^\d])[)）]\s*$"), " "),
    (re.compile(r"，|、"), ","),
    (re.compile(r"\s+"), " "),
)  # fmt: skip
_LETTERS = str.maketrans(
    {"ℤ": "@Z", "ℕ": "@N", "ℚ": "@Q", "ℝ": "@R", "ℂ": "@C", "₀": "_0", "⁺": "^+", "₊": "_+"}
    | {chr(0x2080 + digit): f"_{digit}" for digit in range(1, 10)}
)
_NAME = r"[a-zA-Z](?:_\{?[a-zA-Z0-9]\}?)?(?![a-zA-Z])"
_NAMES = rf"(?P<names>{_NAME}(?:\s*(?:,|and|和)\s*{_NAME})*)"
_KIND = (
    r"(?P<kind>(?:(?:non-?negative|positive|nonzero|non-?zero|natural|rational|real|complex"
    r"|arbitrary|fixed|whole|正|非负|任意|自然|有理|实|复)\s*)*"
    r"(?:integers?|numbers?|reals?|rationals?|constants?|scalars?|parameters?|values?|整数|数|常数)"
    r"|real|rational|complex)"
)
_DOMAIN = (
    r"(?P<set>@?[ZNQRC](?![a-zA-Z])"
    r"(?P<part>[_^]\{?\s*(?:0|\+|\*|>=\s*[01]|>\s*0|≥\s*0)\s*\}?){0,2}"
    r"|(?:the )?(?:set of )?(?:all )?" + _KIND.replace("kind", "set_kind") + r")"
)
_LEAD = r"(?:(?:for|where|with|whenever|given|and|if|其中|对于?)\s*)"
_QUANTIFIER = r"(?:(?:any|all|every|each|some|an?|arbitrary|任意|所有|一切)\s*)"
_ANY = r"(?:any|all|every|each|some|arbitrary|任意|所有|一切)"
_VALUE = r"-?[\w./\\{}^+-]{1,24}?"
_CONDITION = rf"{_NAMES} ?(?P<relation>>=|<=|!=|>|<) ?(?P<value>{_VALUE})"
_CHAIN = rf"(?P<chain>{_VALUE} ?<=? ?(?P<inside>{_NAME}) ?<=? ?{_VALUE})"
_STOP = r"(?=[\s,;)）。]|$)"
_CLAUSES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\s*{_LEAD}?{_QUANTIFIER}?(?:{_KIND} )?{_NAMES} ?in {_DOMAIN}",
        rf"\s*{_LEAD}?{_NAMES}\s*(?:is|are|be|being|为|是|属于)?\s*{_QUANTIFIER}?{_KIND}(?![a-z])",
        rf"\s*{_LEAD}{_QUANTIFIER}?{_KIND} {_NAMES}",
        rf"\s*{_LEAD}{_QUANTIFIER}?{_CONDITION}{_STOP}",
        rf"\s*{_LEAD}{_QUANTIFIER}?{_CHAIN}{_STOP}",
        rf"\s*(?:for|with|where|对于?)?\s*{_ANY} ?(?:{_KIND} )?{_NAMES}",
        rf"\s*(?:for )?(?:any|all|every) {_KIND}",
        rf"\s*integer {_NAMES}",
    )
)
# Without a word before them only behind another clause, or behind an equation in the letter.
_BARE_CLAUSES = tuple(re.compile(rf"\s*{part}{_STOP}") for part in (_CONDITION, _CHAIN))
_INEQUALITY_SIGN = re.compile(r"[<>≤≥≠]|\\[lg]eq?(?![a-z])|\\[lg]t(?![a-z])|\\neq?(?![a-z])")
_BETWEEN = re.compile(r"\s*(?:,|;|and\b|且)\s*")
_END = re.compile(r"[\s)}.。）]*")


def split_riders(text: str) -> tuple[str, Riders]:
    """Return ``text`` without the riders at its end, and what they say."""
    if len(text) > _MAX_TEXT or not _MARK.search(text) or not _WORTH_TRYING.search(text):
        return text, NO_RIDERS
    if _STATEMENT.match(text):
        return text, NO_RIDERS
    builder = _BUILDER.fullmatch(text)
    if builder:  # {x | x = 2k, k ∈ Z} as x = 2k, k ∈ Z
        inside, of_inside = split_riders(builder["inside"])
        return (inside, of_inside) if of_inside.parameters else (text, NO_RIDERS)
    text = _FOR_ALL_REALS.sub(" ", text)
    for start in _starts(text):
        head = text[:start].strip()
        riders = _read(text[start:], head)
        if riders is None:
            continue
        balanced = _balanced(head)
        if balanced is not None:
            return balanced, riders
    return text, NO_RIDERS


def _starts(text: str) -> Iterator[int]:
    """Where riders may begin, the earliest first."""
    found = 0
    for match in _START.finditer(text, max(1, len(text) - _MAX_TAIL)):
        if match.start() and found < _MAX_STARTS:
            found += 1
            yield match.start()


def _balanced(head: str) -> str | None:
    """What stands before the riders, with the dollar and the brace closed that they closed."""
    if not head.strip("$ ("):
        return None
    if head.count("$") % 2:
        head += "$"
    if head.endswith("\\{") or head.count("\\{") > head.count("\\}"):
        return None
    opened = head.count("{") - head.count("}")
    if opened == 1 and re.match(r"\s*\$?\\(?:text|mathrm|textrm|mbox)\s*\{", head):
        return head + "}"
    return None if opened else head


def _read(tail: str, head: str) -> Riders | None:
    """The riders in ``tail``, which stands behind ``head``; None when it is anything else."""
    bracketed = tail.lstrip()[:1] in ("(", "（")
    tail = tail.translate(_LETTERS)
    for pattern, plain in _SIGNS:
        tail = pattern.sub(plain, tail)
    tail = re.sub(r"^[\s,;.:(]*(?:\\(?:text|mathrm|textrm|mbox)\s*\{)?\s*", "", tail)
    domains: dict[str, str] = {}
    conditions: list[str] = []
    position = 0
    while True:
        match = next((m for p in _CLAUSES if (m := _whole_clause(p, tail, position))), None)
        match = match or _bare_condition(tail, position, head, bracketed=bracketed)
        if match is None:
            return None
        _note(match.groupdict(), domains, conditions)
        position = match.end()
        if _END.fullmatch(tail, position):
            return Riders(domains, tuple(conditions))
        between = _BETWEEN.match(tail, position)
        position = between.end() if between else position
        if between is None and not tail.startswith(" ", position):
            return None


def _bare_condition(
    tail: str, position: int, head: str, *, bracketed: bool
) -> re.Match[str] | None:
    """``x > 0`` without a word before it, for a letter of ``head``: in brackets or an equation."""
    for pattern in _BARE_CLAUSES:
        match = _whole_clause(pattern, tail, position)
        if match is None:
            continue
        name = match.groupdict().get("inside") or match["names"]
        may_follow = bracketed or "=" in head
        may_follow = may_follow and not _INEQUALITY_SIGN.search(head)
        if position or (may_follow and re.search(rf"(?<![A-Za-z\\]){re.escape(name)}", head)):
            return match
    return None


def _whole_clause(pattern: re.Pattern[str], tail: str, position: int) -> re.Match[str] | None:
    """A clause that ends where the text, a separator or another clause's word does."""
    match = pattern.match(tail, position)
    if match is None:
        return None
    rest = tail[match.end() :]
    whole = _END.fullmatch(rest) or re.match(r"\s*(?:,|;|and\b|且|where\b|with\b|for\b|其中)", rest)
    return match if whole else None


def _note(found: dict[str, str | None], domains: dict[str, str], conditions: list[str]) -> None:
    names = re.findall(_NAME, re.sub(r"\band\b", ",", found.get("names") or ""))
    if found.get("chain"):
        conditions.append(found["chain"] or "")
        return
    if found.get("relation"):
        conditions += [f"{name}{found['relation']}{found['value']}" for name in names]
        return
    if found.get("set_kind") or found.get("kind"):
        domain = _domain_of_kind(found.get("set_kind") or found.get("kind") or "")
    else:
        domain = ""
    if found.get("set") and not found.get("set_kind"):
        domain = _domain_of_set(found["set"] or "")
    for name in names or [""]:
        domains[name.replace("{", "").replace("}", "")] = domain


def _domain_of_set(text: str) -> str:
    letter, part = text.lstrip("@")[0], re.sub(r"[{}\s_^]", "", text.lstrip("@")[1:])
    if letter in "ZN" and part in (">=0", "≥0", "0"):
        return "N0"
    if letter in "ZN" and (part in ("+", ">0", ">=1") or (part == "*" and letter == "N")):
        return "N+"
    return letter + "+" if part in ("+", ">0") else letter


def _domain_of_kind(text: str) -> str:
    if re.search(r"integer|whole|整数", text):
        if re.search(r"non-?negative|非负|whole", text):
            return "N0"
        return "N+" if re.search(r"positive|正", text) else "Z"
    if re.search(r"natural|自然", text):
        return "N"
    for word, letter in (("rational|有理", "Q"), ("complex|复", "C"), ("real|实", "R")):
        if re.search(word, text):
            return letter + "+" if re.search("positive|正", text) else letter
    return ""
