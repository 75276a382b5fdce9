"""States as files: every number comes back, and a file from somebody else runs no code."""

import io
import json
import math
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from worlds import assert_same_state

from curricula.errors import StateError
from curricula.plain import pack, unpack

KINDS = st.sampled_from(["?", "i1", "u2", "i8", "u8", "f2", "f4", "f8", ">i4"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None))
    | st.binary()
    | KINDS.flatmap(lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, min_side=0)))
)
KEYS = st.text(max_size=3) | st.integers() | st.sampled_from(["$array", "$", "$pairs"])
STATES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)


@given(STATES)
def test_every_state_comes_back_bit_for_bit(state: Any) -> None:
    assert_same_state(unpack(pack(state)), state)


def test_numbers_that_json_does_not_have() -> None:
    found = unpack(pack([math.nan, math.inf, -math.inf, -0.0, np.float32(0.1), np.int64(3)]))
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf, 0.0, float(np.float32(0.1)), 3]
    assert math.copysign(1, found[3]) == -1


def test_an_array_that_is_there_twice_is_written_once() -> None:
    array = np.arange(100_000)
    assert len(pack([array, array])) < 1.1 * len(pack([array]))
    one, other = unpack(pack([array, array]))
    one[0] = 5
    assert other[0] == 0


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({1, 2}, id="a set"),
        pytest.param(np.array([object()]), id="an array of objects"),
        pytest.param(np.array(["text"]), id="an array of text"),
        pytest.param(Path("x"), id="a path"),
    ],
)
def test_what_is_no_plain_data_is_refused_when_it_is_written(value: Any) -> None:
    with pytest.raises(TypeError, match="expected plain data, found"):
        pack({"state": value})


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "code ran")


def archive(members: dict[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return content.getvalue()


def npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=allow_pickle)
    return content.getvalue()


def tree(value: Any) -> bytes:
    return npy(np.frombuffer(json.dumps(value).encode(), dtype=np.uint8))


def header(shape: str) -> bytes:
    """An array that announces a shape and holds nothing."""
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    ("members", "why"),
    [
        pytest.param({"tree.npy": tree({"$array": 0}), "0.npy": header("(10**9,)")}, "damage",
                     id="arithmetic in a header"),
        pytest.param({"tree.npy": tree({"$array": 0}), "0.npy": header("(1000000000000,)")},
                     "announced shape", id="more numbers than the file has"),
        pytest.param({"tree.npy": tree({"$array": 0}), "0.npy": header("(-1,)")},
                     "announced shape", id="a negative size"),
        pytest.param({"tree.npy": tree({"$array": 7})}, r"state: .* found \$array that is none",
                     id="an array that is not there"),
        pytest.param({"tree.npy": tree({"$float": "1e5"})}, "found .float that is none",
                     id="a number that JSON has"),
        pytest.param({"tree.npy": tree({"a": {"$pairs": [[1]]}})}, r"state\.a: expected pairs",
                     id="half a pair"),
        pytest.param({"tree.npy": tree({"$pairs": [[[1], 2]]})}, "expected pairs",
                     id="a list as a key"),
        pytest.param({"tree.npy": npy(np.frombuffer(b"NaN", dtype=np.uint8))}, "finite number",
                     id="NaN, which is no JSON"),
        pytest.param({"tree.npy": npy(np.frombuffer(b"[" * 10**6, dtype=np.uint8))}, "damage",
                     id="a million brackets"),
        pytest.param({"tree.npy": npy(np.frombuffer(b"1" * 10**5, dtype=np.uint8))}, "damage",
                     id="a number of a hundred thousand digits"),
        pytest.param({"0.npy": npy(np.zeros(3))}, "damage", id="no tree"),
    ],
)  # fmt: skip
def test_a_state_that_nobody_saved_is_refused(members: dict[str, bytes], why: str) -> None:
    with pytest.raises(StateError, match=why):
        unpack(archive(members))


def test_a_pickle_in_an_array_is_never_loaded(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    hostile = npy(np.array([Canary(canary)], dtype=object), allow_pickle=True)
    with pytest.raises(StateError, match="expected numbers"):
        unpack(archive({"tree.npy": tree({"$array": 0}), "0.npy": hostile}))
    assert not canary.exists()


def test_a_small_file_cannot_become_a_large_one() -> None:
    bomb = npy(np.zeros(10**7))
    content = archive({"tree.npy": tree({"$array": 0}), "0.npy": bomb}, compression=8)
    assert len(content) < 10**6
    with pytest.raises(StateError, match="uncompressed"):
        unpack(content)


def test_no_damage_is_taken_for_a_state() -> None:
    """Whatever byte is changed, the file is refused, or says the same as before."""
    state = {"rng": 2**127 + 5, "rates": np.linspace(0, 1, 7), "names": ["a", "b"], 3: b"xy"}
    content, randomly = pack(state), random.Random(0)
    for _ in range(500):
        damaged = bytearray(content)
        if randomly.random() < 0.2:
            del damaged[randomly.randrange(len(content)) :]
        else:
            damaged[randomly.randrange(len(content))] = randomly.randrange(256)
        try:
            found = unpack(bytes(damaged))
        except StateError:
            continue
        assert_same_state(found, state)
