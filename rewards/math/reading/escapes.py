r"""LaTeX whose backslashes were lost or doubled on the way through JSON, CSV or Python.

``"\frac"`` in a text that knows escapes is a form feed and ``rac``; a text that was escaped
twice holds ``\\frac``. Three rules:

- Plain damage is read as what was meant, in references, questions and answers alike: a control
  character directly before the rest of a known command, two or more backslashes before a known
  command outside environments, and ``\textcirc`` for ``\circ``.
- What could be read in another way (``x``, a new line, ``e 2``) or has lost its character
  altogether (``rac{1}{2}``) is only suspected: a reference like it is bad, with the repaired
  text to look at.
- An answer that is only suspected is read as it stands.
"""

from __future__ import annotations

import re

# The letter of each control character's escape.
_ESCAPES = {"\x07": "a", "\x08": "b", "\x0b": "v", "\x0c": "f", "\t": "t", "\n": "n", "\r": "r"}
_COMMANDS = """
alpha angle approx arccos arcsin arctan ast bar begin beta big bigcap bigcup bigg bigl bigr
bigstar binom bmod bot boxed bullet cap cdot cdots circ colon cong cos cot csc cup dbinom ddots
deg degree delta det dfrac displaystyle div dot dots emptyset end epsilon equiv eta exists exp
fbox forall frac gamma gcd ge geq hat hline hspace in infty int iota kappa lambda land langle
lceil ldots le left leq lfloor lim ln log lor lvert mathbb mathbf mathcal mathit mathrm max mid
min mod mp mu nabla ne neg neq nexists nmid not notin nu omega operatorname oplus otimes
overline overrightarrow parallel partial perp phi pi pm pmod prime prod propto psi qquad quad
rangle rbrace rbrack rceil rfloor rho right rightarrow rm rvert sec setminus sigma sim sin sinh
sqrt square star subset subseteq sum sup tan tanh tau tbinom text textbf textit textrm textstyle
tfrac therefore theta tilde times to triangle underline upsilon varepsilon varnothing varphi
vartheta vdots vec vee vert wedge xi zeta Delta Gamma Lambda Omega Phi Pi Psi Rightarrow Sigma
Theta Vert
"""
_KNOWN = frozenset(_COMMANDS.split())
# After white space these rests may be letters or words of their own.
_MAY_STAND_ALONE = frozenset(["ne", "nu", "not", "neg", "ni", "to", "tau", "top"])
_CONTROL = re.compile(r"([\x07\x08\x0b\x0c\t\n\r])([A-Za-z]+)")
_DOUBLED = re.compile(r"(?<!\\)\\{2,}([A-Za-z]+|[%$,;!{}])")
_TEXT_SYMBOL = re.compile(r"\\text([a-z]+)(?![a-z])")
_TEXT_FONTS = frozenset(["bf", "it", "rm", "sf", "tt", "up", "sc", "normal", "style", "md", "sl"])
_TEXT_SYMBOLS = {"degree": "circ", "times": "times", "minus": "-", "percent": "%", "dollar": "$"}
_WORTH_TRYING = re.compile(r"[\x07\x08\x0b\x0c\t\n\r][A-Za-z]|\\\\|\\text[a-z]")
_LOST = re.compile(r"(?<![A-Za-z\\])(rac|ext|extbf|oxed|egin|inom|heta|imes|eft|ight|qrt)(?![a-z])")
_LOST_LETTERS = {"rac": "f", "ext": "t", "extbf": "t", "oxed": "b", "egin": "b", "inom": "b"}
_LOST_LETTERS |= {"heta": "t", "imes": "t", "eft": "l", "ight": "r", "qrt": "s"}
_LOST_NEED = {"heta": "", "imes": "", "eft": "([{|.\\", "ight": ")]}|.\\"}
_STRAY = re.compile(r"[\x07\x08\x0b\x0c]")


def repaired(text: str) -> str:
    """Return ``text`` with plain damage mended."""
    if not _WORTH_TRYING.search(text):
        return text
    text = _CONTROL.sub(_with_command, text)
    text = _TEXT_SYMBOL.sub(_without_text, text)
    if "\\\\" in text:
        text = _halved(text)
    return text


def suspected(text: str) -> str | None:
    """Return how ``text`` would read when its suspected damage is mended; None without any."""
    mended = repaired(text)
    changed = _STRAY.sub(lambda m: "\\" + _ESCAPES[m.group()], mended)
    changed = _CONTROL.sub(_with_doubtful_command, changed)
    changed = _LOST.sub(_with_lost_letter, changed)
    return None if changed == mended else changed


def _with_command(match: re.Match[str]) -> str:
    command = _ESCAPES[match[1]] + match[2]
    if command not in _KNOWN or (match[1].isspace() and command in _MAY_STAND_ALONE):
        return match.group()
    return "\\" + command


def _with_doubtful_command(match: re.Match[str]) -> str:
    """A new line before ``e 2`` or ``u`` as the command; not before ``u = 3``."""
    command = _ESCAPES[match[1]] + match[2]
    following = match.string[match.end() : match.end() + 3].lstrip()
    starts_line = match.start() == 0 or following[:1] in ("=", ":", "")
    return match.group() if command not in _KNOWN or starts_line else "\\" + command


def _without_text(match: re.Match[str]) -> str:
    r"""``\textcirc`` as ``\circ``; fonts such as ``\textbf`` stay."""
    name = match[1]
    if name in _TEXT_FONTS or "text" + name in _KNOWN:
        return match.group()
    if name in _TEXT_SYMBOLS:
        symbol = _TEXT_SYMBOLS[name]
        return "\\" + symbol if symbol != "-" else symbol
    return "\\" + name if name in _KNOWN else match.group()


def _halved(text: str) -> str:
    r"""Undo a second escaping: ``\\frac`` as ``\frac``, and ``\\\\`` as the row break ``\\``.

    Inside an environment two backslashes are a row break, unless its own ``\begin`` has two.
    """
    if "\\\\begin" in text:
        return text.replace("\\\\", "\\")
    if "\\begin" in text:
        return text
    whole_set = text.count("\\\\{") == text.count("\\\\}") and not re.search(r"(?<!\\)\\[{}]", text)

    def single(match: re.Match[str]) -> str:
        following = match[1]
        if following in ("{", "}"):
            return "\\" + following if whole_set else match.group()
        known = following in _KNOWN or not following.isalpha()
        return "\\" + following if known else match.group()

    text = _DOUBLED.sub(single, text)
    for opening, closing in (("\\\\(", "\\\\)"), ("\\\\[", "\\\\]")):
        if text.startswith(opening) and text.endswith(closing) and len(text) > 6:
            text = text[len(opening) : -len(closing)]
    return text


def _with_lost_letter(match: re.Match[str]) -> str:
    """``rac{1}{2}`` with the letter that an escape has swallowed."""
    rest, following = match[1], match.string[match.end() : match.end() + 1]
    needed = _LOST_NEED.get(rest, "{")
    if needed and (not following or following not in needed):
        return match.group()
    return "\\" + _LOST_LETTERS[rest] + rest
