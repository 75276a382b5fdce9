"""Text before lexing: Unicode compatibility forms, LaTeX dress, phrases around an answer."""

from __future__ import annotations

import re
import unicodedata

from rewards.math.reading.escapes import repaired
from rewards.text import chinese

_TRANSLATION = str.maketrans(
    {
        **dict.fromkeys("−–—‒―﹣－⁻﹘➖", "-"),
        **dict.fromkeys("＋﹢➕", "+"),
        **dict.fromkeys("×✕✖⋅·∙•∗＊⨯✗", "*"),
        **dict.fromkeys("÷∕⁄／", "/"),
        **dict.fromkeys("‘’′ʹ＇", "'"),
        **dict.fromkeys("“”″", '"'),
        **dict.fromkeys("，、", ","),
        **dict.fromkeys("；", ";"),
        **dict.fromkeys("：∶꞉", ":"),
        **dict.fromkeys("（⟮", "("),
        **dict.fromkeys("）⟯", ")"),
        **dict.fromkeys("【［", "["),
        **dict.fromkeys("】］", "]"),
        **dict.fromkeys("｛", r"\{"),
        **dict.fromkeys("｝", r"\}"),
        **dict.fromkeys("〈⟨", r"\langle "),
        **dict.fromkeys("〉⟩", r"\rangle "),
        **dict.fromkeys("≤≦⩽≲", r"\le "),
        **dict.fromkeys("≥≧⩾≳", r"\ge "),
        "≠": r"\ne ",
        "＝": "=",
        "＜": "<",
        "＞": ">",
        **dict.fromkeys("≈≃≅", r"\approx "),
        "≡": r"\equiv ",
        "∪": r"\cup ",
        "∩": r"\cap ",
        "∖": r"\setminus ",
        "∈": r"\in ",
        "∉": r"\notin ",
        **dict.fromkeys("∅⌀", r"\emptyset "),
        "∞": r"\infty ",
        "±": r"\pm ",
        "∓": r"\mp ",
        "√": r"\root ",
        "∛": r"\cbrt ",
        "∫": r"\int ",
        "∑": r"\sum ",
        "∏": r"\prod ",
        "°": r"\degree ",
        "º": r"\degree ",
        "％": "%",
        "﹪": "%",
        "‰": r"\permille ",
        "ℝ": r"\mathbb{R}",
        "ℤ": r"\mathbb{Z}",
        "ℕ": r"\mathbb{N}",
        "ℚ": r"\mathbb{Q}",
        "ℂ": r"\mathbb{C}",
        "∧": r"\land ",
        "∨": r"\lor ",
        "⌊": r"\lfloor ",
        "⌋": r"\rfloor ",
        "⌈": r"\lceil ",
        "⌉": r"\rceil ",
        "∣": "|",
        "∠": r"\angle ",
        "△": r"\triangle ",
        "∀": r"\forall ",
        "∃": r"\exists ",
        **dict.fromkeys("∡∢", r"\angle "),
        "…": "...",
        "⋯": "...",
        "℃": r"\degree C",
        "℉": r"\degree F",
        "￥": "¥",
        "＄": "$",
        "Ω": r"\ohm ",
        "µ": r"\mu ",
        "ß": "ß",
        "。": ".",
        **{
            letter: rf"\{name} "
            for letter, name in zip(
                "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩϕ",
                [
                    "alpha",
                    "beta",
                    "gamma",
                    "delta",
                    "epsilon",
                    "zeta",
                    "eta",
                    "theta",
                    "iota",
                    "kappa",
                    "lambda",
                    "mu",
                    "nu",
                    "xi",
                    "pi",
                    "rho",
                    "sigma",
                    "tau",
                    "upsilon",
                    "phi",
                    "chi",
                    "psi",
                    "omega",
                    "Gamma",
                    "Delta",
                    "Theta",
                    "Lambda",
                    "Xi",
                    "Pi",
                    "Sigma",
                    "Phi",
                    "Psi",
                    "Omega",
                    "phi",
                ],
                strict=True,
            )
        },
    }
)
_CHINESE_SIGNS = {
    "大于等于": r"\ge ",
    "大于或等于": r"\ge ",
    "小于等于": r"\le ",
    "小于或等于": r"\le ",
    "不等于": r"\ne ",
    "大于": ">",
    "小于": "<",
    "根号": r"\root ",
}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁼⁽⁾ⁿⁱ", "0123456789+=()ni")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₒₓₖₙₘ", "0123456789+-=()aeoxknm")
_RAISED_RUN = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ]+")
_LOWERED_RUN = re.compile("[₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₒₓₖₙₘ]+")
_VULGAR = re.compile("[¼-¾⅐-⅞↉]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe0e\ufe0f\u180e]")
_DOTTED = re.compile("([0-9])\u0307")
_OVERLINED = re.compile("((?:[0-9]\u0305)+)")

MAX_CLEANED = 20_000

_DRESS = re.compile(
    r"\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|left|right|middle|bigg?[lrm]?|Bigg?[lrm]?"
    r"|quad|qquad|hspace\*?\{[^{}]{0,20}\}|phantom\{[^{}]{0,20}\}|mathstrut|strut|allowbreak|hfill|boldmath"
    r"|tiny|small|normalsize|large|Large)(?![A-Za-z])\.?"
)
_DELIMITERS = re.compile(r"(?<!\\)\\[()\[\]]|`+")
_ROW_SKIP = re.compile(r"(\\\\)\[[^\[\]]{0,10}\]")
_GROUPING = re.compile(r",\\!\s?")
_MARKDOWN = re.compile(r"(?<![*\w])\*\*(?=\S)([^*]+?)(?<=\S)\*\*(?![*\w])")
_SPACES = re.compile(r"\\[ ,;:!>](?!\d{3}(?!\d))|~|\s+")
_SPACE_BETWEEN_DIGITS = re.compile(r"(?<=\d)\s+(?=\d)")


def clean(text: str) -> str:
    """Return ``text`` in one notation: ASCII and LaTeX commands, Chinese numerals as digits."""
    if not text.isascii():
        text = _fold_unicode(text)
    text = repaired(text)
    if "\\" in text:
        text = _without_dress(text)
    if "**" in text:
        text = _MARKDOWN.sub(r"\1", text)
    text = _strip_math_delimiters(text)
    return text.strip()


def _without_dress(text: str) -> str:
    """LaTeX without what changes only the looks."""
    text = _GROUPING.sub(",", text).replace("\\!", "").replace("\\%", "%")
    text = (
        text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac").replace("\\cfrac", "\\frac")
    )
    text = text.replace("\\left<", "\\langle ").replace("\\right>", "\\rangle ")
    return _DRESS.sub(lambda m: "" if not m.group().endswith(("left.", "right.")) else " ", text)


def _fold_unicode(text: str) -> str:
    text = _INVISIBLE.sub("", text)
    text = _RAISED_RUN.sub(
        lambda m: "^{" + m.group().replace("⁻", "-").translate(_RAISED) + "}", text
    )
    text = _LOWERED_RUN.sub(lambda m: "_{" + m.group().translate(_LOWERED) + "}", text)
    text = _VULGAR.sub(_vulgar_fraction, text)
    text = text.translate(_TRANSLATION)
    text = unicodedata.normalize("NFKC", text).translate(_TRANSLATION)
    text = _OVERLINED.sub(lambda m: "\\overline{" + m.group().replace("\u0305", "") + "}", text)
    text = _DOTTED.sub(r"\\dot{\1}", text)
    text = "".join(_ascii_digit(c) for c in text)
    for word, sign in _CHINESE_SIGNS.items():
        text = text.replace(word, sign)
    return chinese.to_digits(text)


def _ascii_digit(character: str) -> str:
    if character.isascii() or unicodedata.category(character) != "Nd":
        return character
    return str(unicodedata.decimal(character))


def _vulgar_fraction(match: re.Match[str]) -> str:
    upper, _, lower = unicodedata.normalize("NFKC", match.group()).partition("\u2044")
    return rf"\frac{{{upper}}}{{{lower}}}"


def _strip_math_delimiters(text: str) -> str:
    r"""Remove ``$…$``, ``\(…\)``, ``\[…\]``; a lone dollar sign is a currency and stays."""
    if "\\" in text or "`" in text:
        text = _DELIMITERS.sub(" ", _ROW_SKIP.sub(r"\1 ", text))
    if "$" in text and text.count("$") - text.count("\\$") >= 2:
        text = re.sub(r"(?<!\\)\$", " ", text)
    return text


_LEAD = re.compile(
    r"^(?:(?:so|thus|hence|therefore|answer)\s*[,:]?\s+)?(?:the\s+)?(?:final\s+|correct\s+)?"
    r"(?:answer|result|solution|solutions|value|total)"
    r"\s*(?:(?:\s(?:is|are)\b|:|=)\s*[:=]?\s*|(?=\s[\d\\$]))",
    re.IGNORECASE,
)
_TEXT_LEAD = re.compile(r"^\\(?:text|textbf|mathrm)\s*\{([^{}]{0,60}(?:is|are|:|=)\s*)\}")
_CHINESE_LEAD = re.compile(
    r"^(?:所以|因此|故|则)?,?(?:最终|最后|正确|标准)?(?:的)?(?:答案|结果|解|值)\s*(?:是|为|:|等于|=)\s*:?\s*"
    r"|^(?:一共|共|共有|总共|约|大约|答)(?:是|为)?\s*:?\s*(?=[\d\\\-])"
)
_ARTICLE = re.compile(r"^the\s+(?=[\d\\$])", re.IGNORECASE)
_EQUALS = re.compile(r"(?<!\s)\s*(?:等于|\bequals\b|\bis equal to\b)\s*")


def strip_phrases(text: str) -> str:
    """Remove "the answer is" and the like around an answer, and a closing full stop."""
    text = text.rstrip(" \t\r\n;,")
    if text.endswith(".") and not text.endswith("..."):
        text = text[:-1].rstrip()
    text = _TEXT_LEAD.sub(r"\1 ", text, count=1)
    text = _LEAD.sub("", text, count=1)
    text = _CHINESE_LEAD.sub("", text, count=1)
    text = _EQUALS.sub("=", text)
    text = _ARTICLE.sub("", text)
    return text.lstrip("= \t\n").strip()


def canonical(text: str) -> str:
    """Return ``text`` cleaned and without spaces, to compare it or to find it in a question.

    A space between two digits becomes a mark, because 1 7 is not 17.
    """
    if len(text) > MAX_CLEANED:
        return "".join(text.split())
    text = _SPACE_BETWEEN_DIGITS.sub("\x00", clean(text))  # 1 7 is not 17
    return _SPACES.sub("", text).rstrip(".").replace("\\cdot", "*").replace("\\times", "*")
