"""Which words are units, and their names in Pint. Converting is Pint's work (``units``)."""

from __future__ import annotations

_WORDS = {
    "meter": "m meter meters metre metres 米",
    "kilometer": "kilometer kilometers kilometre kilometres 千米 公里",
    "centimeter": "centimeter centimeters centimetre centimetres 厘米",
    "millimeter": "millimeter millimeters millimetre millimetres 毫米",
    "decimeter": "decimeter decimeters decimetre 分米",
    "micrometer": "micrometer micrometers micron microns 微米",
    "nanometer": "nanometer nanometers nanometre nanometres 纳米",
    "inch": "in inch inches 英寸",
    "foot": "ft foot feet 英尺",
    "yard": "yd yard yards 码",
    "mile": "mi mile miles 英里",
    "angstrom": "angstrom angstroms Å",
    "light_year": "ly lightyear lightyears light-year light-years 光年",
    "gram": "g gram grams 克",
    "kilogram": "kilogram kilograms kgs 千克 公斤",
    "milligram": "milligram milligrams 毫克",
    "metric_ton": "t tonne tonnes 吨",
    "ton": "ton tons",
    "pound": "lb lbs pound pounds 磅",
    "ounce": "oz ounce ounces 盎司",
    "second": "s sec secs second seconds 秒 秒钟",
    "millisecond": "millisecond milliseconds 毫秒",
    "minute": "min mins minute minutes 分钟",
    "hour": "h hr hrs hour hours 小时 时",
    "day": "day days 天",
    "week": "wk week weeks 周 星期",
    "month": "month months 个月",
    "year": "yr yrs year years 年",
    "liter": "L l liter liters litre litres 升",
    "milliliter": "ml milliliter milliliters millilitre millilitres 毫升",
    "gallon": "gal gallon gallons 加仑",
    "quart": "qt quart quarts",
    "pint": "pint pints",
    "cup": "cup cups",
    "hectare": "ha hectare hectares 公顷",
    "acre": "acre acres 英亩",
    "degree": "degree degrees deg 度",
    "radian": "rad radian radians 弧度",
    "degree_Celsius": "celsius 摄氏度",
    "degree_Fahrenheit": "fahrenheit 华氏度",
    "kelvin": "K kelvin kelvins 开尔文",
    "newton": "N newton newtons 牛 牛顿",
    "joule": "J joule joules 焦 焦耳",
    "watt": "W watt watts 瓦 瓦特",
    "kilowatt": "kilowatt kilowatts 千瓦",
    "volt": "V volt volts 伏 伏特",
    "ampere": "A amp amps ampere amperes 安 安培",
    "coulomb": "C coulomb coulombs 库 库仑",
    "ohm": "ohm ohms 欧 欧姆",
    "farad": "F farad farads 法拉",
    "henry": "H henry henries 亨利",
    "tesla": "T tesla teslas 特斯拉",
    "weber": "Wb weber webers",
    "pascal": "Pa pascal pascals 帕 帕斯卡",
    "hertz": "Hz hertz 赫 赫兹",
    "mole": "mol mole moles 摩尔",
    "molar": "M molar",
    "candela": "cd candela",
    "bar": "bar bars",
    "atmosphere": "atm atmosphere atmospheres 标准大气压",
    "mmHg": "mmHg torr",
    "calorie": "cal calorie calories 卡",
    "kilocalorie": "kcal kilocalorie kilocalories 千卡 大卡",
    "electron_volt": "eV electronvolt electronvolts",
    "bit": "bit bits",
    "byte": "byte bytes",
    "mile_per_hour": "mph",
    "kilometer_per_hour": "kph kmph",
    "knot": "knot knots",
    "horsepower": "hp horsepower",
    "revolutions_per_minute": "rpm",
    "dollar": "$ dollar dollars USD usd 美元 buck bucks",
    "cent": "cent cents ¢",
    "yuan": "元 块 块钱 人民币 yuan RMB CNY ¥ 元钱",
    "jiao": "角",
    "euro": "€ euro euros EUR",
    "british_pound": "£ GBP",
    "rupee": "₹ rupee rupees Rs",
    "unit": "unit units 单位",
}
_PREFIXES = {"k": "kilo", "M": "mega", "G": "giga", "m": "milli", "n": "nano", "p": "pico"}
_PREFIXED = {
    "m": "meter",
    "g": "gram",
    "s": "second",
    "Hz": "hertz",
    "N": "newton",
    "J": "joule",
    "W": "watt",
    "V": "volt",
    "A": "ampere",
    "C": "coulomb",
    "F": "farad",
    "Pa": "pascal",
    "T": "tesla",
    "H": "henry",
    "mol": "mole",
    "eV": "electron_volt",
    "L": "liter",
    "cal": "calorie",
    "bar": "bar",
    "M": "molar",
    "K": "kelvin",
    "ohm": "ohm",
}
_SQUARES = {"平方": 2, "立方": 3}

# Pint has no currencies: these lines are added to its registry.
CURRENCY_DEFINITIONS = (
    "dollar = [currency_usd]",
    "cent = 0.01 dollar",
    "yuan = [currency_cny]",
    "jiao = 0.1 yuan",
    "euro = [currency_eur]",
    "british_pound = [currency_gbp]",
    "rupee = [currency_inr]",
)
CURRENCY_SIGNS = frozenset("$€£¥₹")


def _table() -> dict[str, str]:
    table = {
        prefix + symbol: long + name
        for prefix, long in _PREFIXES.items()
        for symbol, name in _PREFIXED.items()
    }
    table |= {"cm": "centimeter", "dm": "decimeter", "um": "micrometer", "dL": "deciliter"}
    table |= {"cL": "centiliter", "hPa": "hectopascal", "mL": "milliliter", "cc": "centimeter**3"}
    table |= {"kWh": "kilowatt_hour", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte"}
    table |= {"kB": "kilobyte", "TB": "terabyte", "bps": "bit_per_second", "KM": "kilometer"}
    table |= {"KG": "kilogram", "Kg": "kilogram", "Km": "kilometer", "CM": "centimeter"}
    for name, aliases in _WORDS.items():
        table |= dict.fromkeys(aliases.split(), name)
    for unit in ("米", "厘米", "千米", "分米", "毫米", "公里"):
        table |= {prefix + unit: f"{table[unit]}**{power}" for prefix, power in _SQUARES.items()}
    return table


UNITS: dict[str, str] = _table()

# Words of a phrase that is a hedge or a description: such a phrase is no counted noun.
_NOT_NOUNS = """
a an the or and not if maybe about approximately around roughly almost nearly between less
more fewer than least most minus plus times over divided by to from possibly perhaps either
neither nor but except without unless wrong incorrect false true correct number answer value
some any other is are be was were equals equal close very just only can could may might
should would i we you it this that these those because since so then when where which who
print eval exec import lambda return def class for while int float str max min sum range
minimum maximum pairs set sets mod modulo remainder squared cubed base factorial choose
pct percentage hundred thousand million billion trillion dozen percent degrees per
of with given each
"""
NOT_NOUNS = frozenset(_NOT_NOUNS.split())
SCALE_WORDS = {
    "dozen": 12,
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
