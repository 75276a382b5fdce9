"""Chinese numerals as digits: 三分之二, 百分之五十, 三点一四, 1.2万, 负五, 两亿.

Conventions: the positional system of GB/T 15835 (万 = 10^4, 亿 = 10^8), 两 for 二, 〇 for 零.
Left out: financial fractions (角, 分 of a 元) and the numerals of dates.
"""

from __future__ import annotations

import re
from fractions import Fraction

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")}
_DIGITS |= {"〇": 0, "两": 2, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7}
_DIGITS |= {"捌": 8, "玖": 9}
_SMALL = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_LARGE = {"万": 10**4, "亿": 10**8, "萬": 10**4, "億": 10**8}
_NUMERAL = "零一二三四五六七八九〇两壹贰叁肆伍陆柒捌玖十百千拾佰仟"
_ALL = _NUMERAL + "万亿萬億"
_DECIMALS = "(?:点[零一二三四五六七八九〇]{1,40})?"
# Bounded, so that a long run of numerals costs no quadratic search.
_WORD = rf"(?:[{_ALL}]{{1,40}}{_DECIMALS}|\d{{1,40}}(?:\.\d{{1,40}})?[万亿萬億]{{0,2}})"
_FRACTION = re.compile(rf"(?:({_WORD})又)?({_WORD})分之({_WORD})")
_PERCENT = re.compile(rf"百分之({_WORD})")
_PLAIN = re.compile(rf"(?<![^\W{_ALL}])(?<![{_ALL}])[{_ALL}]{{1,40}}{_DECIMALS}(?![{_ALL}])")
_SCALED = re.compile(r"(\d+(?:,\d{3})*(?:\.\d+)?)\s*(万亿|[百千]?万|[百千]?亿|萬|億)")
_MIXED = re.compile(r"(?:\d{1,9}[亿億万萬千百十]){2,6}\d{0,3}(?![\d.])")
_SCALES = {"万亿": 10**12, "百万": 10**6, "千万": 10**7, "百亿": 10**10, "千亿": 10**11} | _LARGE
_HAS_CHINESE = re.compile(r"[一-鿿〇]")
# Numerals that are parts of ordinary words or of units, not numbers.
_PROTECTED = re.compile(r"万一|千克|千米|千瓦|百分[点比率数]|十分|一样|一定|一共|一般|统一|唯一")


def integer(text: str) -> int | None:
    """Return the value of a numeral such as 一百零五 or 二〇二四, or None."""
    if not text or any(c not in _DIGITS and c not in _SMALL and c not in _LARGE for c in text):
        return None
    if all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total, section, digit = 0, 0, None
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c in _SMALL:
            section += (1 if digit is None else digit) * _SMALL[c]
            digit = None
        else:
            section += digit or 0
            total = (total + section) * _LARGE[c] if c in "亿億" else total + section * _LARGE[c]
            section, digit = 0, None
    return total + section + (digit or 0)


def number(text: str) -> Fraction | None:
    """Return the value of a numeral, or of digits with 万 and 亿; None for other text."""
    scale = 1
    while text and text[-1] in _LARGE and re.match(r"\d", text):
        scale *= _LARGE[text[-1]]
        text = text[:-1]
    if re.fullmatch(r"\d{1,300}(?:\.\d{1,300})?", text):
        return Fraction(text) * scale
    whole, point, rest = text.partition("点")
    value = integer(whole)
    if value is None or (point and not rest):
        return None
    return Fraction(f"{value}.{''.join(str(_DIGITS[c]) for c in rest)}" if point else value)


def to_digits(text: str) -> str:
    """Rewrite the Chinese numerals in ``text`` as ordinary notation."""
    if not _HAS_CHINESE.search(text):
        return text
    text = text.replace("一半", "1/2")
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group())
        return f"\ue000{chr(0xE100 + len(kept) - 1)}\ue001"

    text = _PROTECTED.sub(keep, text) if len(text) < 4096 else text
    text = re.sub(r"负(?=[\d零一二三四五六七八九十百千万亿两〇])", "-", text)
    if "分之" in text:
        text = _PERCENT.sub(lambda m: _written(m[1], "%"), text)
        text = _FRACTION.sub(_fraction, text)
    text = _MIXED.sub(_mixed, text)
    text = _SCALED.sub(_scaled, text)
    text = _PLAIN.sub(lambda m: _written(m.group(), ""), text)
    return re.sub("\ue000(.)\ue001", lambda m: kept[ord(m[1]) - 0xE100], text)


def _written(text: str, suffix: str) -> str:
    value = number(text)
    return text if value is None else f"{_decimal(value)}{suffix}"


def _fraction(match: re.Match[str]) -> str:
    whole, lower, upper = (number(part) if part else None for part in match.groups())
    if lower is None or upper is None or (match[1] and whole is None):
        return match.group()
    if whole is None:
        return f"{_decimal(upper)}/{_decimal(lower)}"
    return f"{_decimal(whole)} {_decimal(upper)}/{_decimal(lower)}"


def _scaled(match: re.Match[str]) -> str:
    return _decimal(Fraction(match[1].replace(",", "")) * _SCALES[match[2]])


def _mixed(match: re.Match[str]) -> str:
    """1万2千 and 3亿5千万: digits in the positions that the numerals name."""
    total, section = 0, 0
    for digits, unit in re.findall(r"(\d+)([亿億万萬千百十]?)", match.group()):
        if unit in _LARGE:
            total, section = total + (section + int(digits)) * _LARGE[unit], 0
        else:
            section += int(digits) * _SMALL.get(unit, 1)
    return str(total + section)


def _decimal(value: Fraction) -> str:
    """A terminating fraction as plain digits."""
    if value.denominator == 1:
        return str(value.numerator)
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    digits = str(int(value * 10**places)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"
