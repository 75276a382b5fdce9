"""Which function reads a value that begins with a token: the one table of the parser."""

from __future__ import annotations

from rewards.math.reading import (
    big_operators,
    brackets,
    commands,
    environments,
    functions,
    names,
    numbers,
    sets,
)
from rewards.math.reading.cursor import Grammar
from rewards.math.reading.ellipsis import read_ellipsis

GRAMMAR = Grammar(
    kinds={
        "num": numbers.read_number,
        "name": names.read_symbol,
        "const": names.read_constant,
        "func": functions.read_function,
        "set": sets.read_named_set,
        "word": names.read_letters,
    },
    operators={
        "(": brackets.read_bracket,
        "[": brackets.read_bracket,
        "{": brackets.read_group,
        "|": brackets.read_absolute,
        "...": read_ellipsis,
    },
    commands={
        "frac": commands.read_fraction,
        "root": functions.read_root_sign,
        "cbrt": functions.read_root_sign,
        "overline": commands.read_barred,
        "bar": commands.read_barred,
        "vec": commands.read_vector,
        "lfloor": commands.read_rounded,
        "lceil": commands.read_rounded,
        "emptyset": commands.read_empty_set,
        "varnothing": commands.read_empty_set,
        "angle": commands.read_labelled,
        "measuredangle": commands.read_labelled,
        "sphericalangle": commands.read_labelled,
        "triangle": commands.read_labelled,
        "langle": brackets.read_angled,
        "int": big_operators.read_big_operator,
        "sum": big_operators.read_big_operator,
        "prod": big_operators.read_big_operator,
        "lim": big_operators.read_big_operator,
        "begin": environments.read_environment,
        "{": sets.read_braced_set,
    },
)
