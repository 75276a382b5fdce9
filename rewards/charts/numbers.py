"""Numbers as charts and their readers write them: 1,234.5, $3.2M, 45%, 1.2万, twenty-one."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from fractions import Fraction

from rewards.math.reading.unit_names import UNITS
from rewards.text import chinese, english

_SCALES = {
    "k": 10**3, "thousand": 10**3, "thousands": 10**3, "千": 10**3,
    "m": 10**6, "mn": 10**6, "mln": 10**6, "mm": 10**6, "million": 10**6, "millions": 10**6,
    "b": 10**9, "bn": 10**9, "bln": 10**9, "billion": 10**9, "billions": 10**9,
    "tn": 10**12, "trn": 10**12, "trillion": 10**12, "trillions": 10**12,
    "hundred": 100, "dozen": 12, "万": 10**4, "亿": 10**8, "百万": 10**6, "万亿": 10**12,
    "萬": 10**4, "億": 10**8, "百": 100, "千万": 10**7,
}  # fmt: skip
_CURRENCIES = {
    "$": "usd", "us$": "usd", "usd": "usd", "dollars": "usd", "dollar": "usd", "美元": "usd",
    "€": "eur", "eur": "eur", "euros": "eur", "euro": "eur", "欧元": "eur", "£": "gbp",
    "gbp": "gbp", "pounds": "gbp", "¥": "yen", "￥": "yen", "rmb": "yen", "cny": "yen",
    "元": "yen", "yuan": "yen", "人民币": "yen", "yen": "yen", "jpy": "yen", "₹": "inr",
    "rs": "inr", "inr": "inr", "rupees": "inr", "₩": "krw", "a$": "aud", "c$": "cad",
}  # fmt: skip
_PERCENT = frozenset(["%", "percent", "per cent", "pct", "percentage", "percents", "％"])
_POINTS = frozenset(["percentage points", "percentage point", "pp", "个百分点", "百分点"])
_DIGITS = (
    r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,3}(?: \d{3})+(?!\d)(?:\.\d+)?"
    r"|\d{1,3}(?:\.\d{3}){2,}(?!\d)(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+|\d+,\d+(?!\d)|\d*\.\d+|\d+\.?)"
)
_NUMBER = re.compile(
    r"(?P<lead>[^\d.,+\-()]*?)\s*(?P<sign>[+-]?)\s*(?P<lead2>us\$|a\$|c\$|[$€£¥₹₩]?)\s*"
    rf"(?P<digits>{_DIGITS})(?:e(?P<exponent>[+-]?\d{{1,3}}))?\s*(?P<tail>[^\d]*)(?P<power>[23]?)"
)
_TRILLION = re.compile(r"(?<=\d)\s?T$")
_UNIT_HINT = re.compile(r"\d\s*([A-Za-zµΩ°]{1,20}(?:/[A-Za-z]{1,10})?)$")
_SIMPLE = re.compile(r"\s*([+-]?[0-9]{1,200}(?:\.[0-9]{1,200})?)\s*(%?)\s*")
_TIMES_TEN = re.compile(r"\s*(?:×|x|\*|\\times|\\cdot)\s*10\s*\^\s*\{?([+-]?\d{1,3})\}?")
_LEADS = frozenset(
    ["", "about", "approximately", "approx", "approx.", "around", "roughly", "~", "≈", "nearly"]
)
_CHINESE_LEADS = frozenset(["约", "大约", "约为", "大概", "共", "第"])
_DRESS = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\s*\{([^{}]*)\}")
_MAX_CHARACTERS = 300
_UNIT_WORDS = re.compile(r"[a-z°²³µμ/.\s\-一-鿿%^$€£()\\]*")
_REFUSED_WORDS = """
or and to between not than more less over under above below least most from through minus plus
times either maybe ish if versus vs greater fewer exceeds up
"""
_REFUSED = frozenset(_REFUSED_WORDS.split())


@dataclass(frozen=True, slots=True)
class ChartNumber:
    """A number of a chart. value: with its scale applied and its percent sign not.

    unit: a known unit, "" for none or an unknown one. plain: the value without the scale. hedged:
    whether it is said to be approximate.
    """

    value: Fraction
    percent: bool = False
    currency: str = ""
    unit: str = ""
    scaled: bool = False
    plain: Fraction = Fraction(0)
    hedged: bool = False


def normal(text: str) -> str:
    """Fold compatibility forms, minus signs and LaTeX commands into plain characters."""
    text = text.strip()[:_MAX_CHARACTERS]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = re.sub("[−–—‒﹣]", "-", text)
        text = re.sub("[\u200b-\u200f\u2060\ufeff]", "", text)
    text = _DRESS.sub(r"\1", text).replace("\\%", "%").replace("\\$", "$").replace("\\,", "")
    text = text.replace("{,}", ",").replace("**", "").replace("\\(", "").replace("\\)", "")
    if text.count("$") == 2 and text.startswith("$") and text.endswith("$"):
        text = text[1:-1]
    return text.strip().strip("\"'“”").strip()


def read_number(text: str) -> ChartNumber | None:
    """Return the one number that ``text`` says; None when it says none, several, or a bound."""
    simple = _SIMPLE.fullmatch(text)
    if simple:
        value = Fraction(simple[1])
        return ChartNumber(value, bool(simple[2]), plain=value)
    written = _TRILLION.sub(" trillion", normal(text))
    hint = _UNIT_HINT.search(written)  # case tells MW from mW, so before it is folded
    unit = UNITS.get(hint[1], "") if hint and hint[1].lower() not in _SCALES else ""
    text = written.lower()
    if not text or len(text) >= _MAX_CHARACTERS:
        return None
    if not any(c.isdigit() for c in text):
        spelled = _spelled(text)
        if spelled is not None:
            return spelled
    text = chinese.to_digits(text)
    text = re.sub(r"(\d)\s*个(百分点)", r"\1 \2", text)
    if re.fullmatch(r"\(\s*[$€£]?[\d.,]+%?\s*\)", text):
        text = "-" + text.strip("() ")  # accounting notation
    scientific = _TIMES_TEN.search(text)
    if scientific:
        text = f"{text[: scientific.start()]}e{scientific[1]}{text[scientific.end() :]}"
    if (fraction := _fraction(text)) is not None:
        return ChartNumber(fraction, plain=fraction)
    match = _NUMBER.fullmatch(text)
    number = None if match is None else _from_match(match)
    if number is None or not unit or number.percent:
        return number
    return replace(number, unit=unit)


def _fraction(text: str) -> Fraction | None:
    """``3/4`` and ``1 1/2``."""
    match = re.fullmatch(r"([+-]?)(?:(\d{1,15})\s)?\s*(\d{1,15})\s*/\s*(\d{1,15})", text)
    if match is None or not int(match[4]) or (match[2] and int(match[3]) >= int(match[4])):
        return None
    value = int(match[2] or 0) + Fraction(int(match[3]), int(match[4]))
    return -value if match[1] == "-" else value


def _from_match(match: re.Match[str]) -> ChartNumber | None:
    lead = (match["lead"] or "").strip()
    currency = _CURRENCIES.get((match["lead2"] or "").strip(), "")
    sign = -1 if match["sign"] == "-" else 1
    if lead in ("-", "minus", "negative", "负"):
        sign, lead = -sign, ""
    words = lead.split()
    if words and words[-1] in _CURRENCIES:
        currency, lead = _CURRENCIES[words[-1]], " ".join(words[:-1])
    if lead and lead not in _LEADS and lead not in _CHINESE_LEADS:
        return None
    value = _digits(match["digits"])
    if match["exponent"]:
        value *= Fraction(10) ** int(match["exponent"])
    tail = match["tail"].strip().rstrip(".。;,").strip() + match["power"]
    number = _with_tail(sign * value, tail, currency)
    hedged = lead not in ("", "共", "第")
    return replace(number, hedged=True) if number is not None and hedged else number


def _digits(text: str) -> Fraction:
    text = text.rstrip(".").replace(" ", "")
    if re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+", text):
        text = text.replace(".", "").replace(",", ".")
    elif "," in text and not re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        text = text.replace(",", ".")  # a decimal comma
    return Fraction(text.replace(",", ""))


def _with_tail(value: Fraction, tail: str, currency: str) -> ChartNumber | None:
    """Read what follows the digits: a scale, a percent sign, a currency, a unit."""
    plain, percent, scaled, unit = value, False, False, ""
    words = re.findall(r"[a-z.°²³µμ/^0-9-]+|[%]|[$€£¥]|[一-鿿]+|\S", tail)
    while words:
        if " ".join(words) in _POINTS or words[0] in _PERCENT:
            percent, words = True, [] if " ".join(words) in _POINTS else words[1:]
        elif words[0] in _SCALES and not scaled:
            value, scaled, words = value * _SCALES[words[0]], True, words[1:]
        elif words[0] in _CURRENCIES and not currency:
            currency, words = _CURRENCIES[words[0]], words[1:]
        else:
            break
    rest = " ".join(words).strip()
    if rest and rest != "times":
        if not _UNIT_WORDS.fullmatch(rest.rstrip("0123456789")) or len(words) > 6:
            return None
        if set(re.findall(r"[a-z]+", rest)) & _REFUSED or "-" in words:
            return None
        unit = UNITS.get(rest, "") or UNITS.get(words[0], "")
    return ChartNumber(value, percent, currency, unit, scaled, plain)


def _spelled(text: str) -> ChartNumber | None:
    """A number in words, with "percent" or a counted thing after it."""
    words = text.removesuffix("%").split()
    for length in range(len(words), 0, -1):
        value = english.number(" ".join(words[:length]))
        if value is None:
            continue
        rest = " ".join(words[length:])
        if set(words[length:]) & _REFUSED or len(words) - length > 3:
            return None
        return ChartNumber(value, rest in _PERCENT or text.endswith("%"), plain=value)
    return None
