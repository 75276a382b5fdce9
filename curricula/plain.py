"""States as plain data: one file of JSON and NumPy arrays, which runs no code when it is read.

The file is a NumPy archive (`.npz`, nothing compressed): the member `tree` holds the state's
structure as JSON text, the others its arrays, `0`, `1`, and so on. Numbers come back bit for bit.
What JSON has no form for is written as an object with the one key `$...`:

    {"$array": 3}           the array of the member `3`
    {"$bytes": 3}           the bytes that are in the member `3`
    {"$float": "nan"}       also `inf` and `-inf`
    {"$pairs": [[k, v]]}    a dictionary whose keys are not all text, or look like one of these

Tuples become lists and NumPy's numbers Python's. Everything else is refused when it is written.
"""

import io
import json
import math
import zipfile
from typing import Any

import numpy as np
from numpy.lib import format as _format
from numpy.typing import NDArray

from curricula.errors import DamagedStateError

npy: Any = _format  # its functions have no types

_TREE = "tree"
_KINDS = "biuf"
"""Of an array's numbers: true or false, whole, not negative, floating."""
_MAX_HEADER = 1000
_MAX_DIMENSIONS = 8
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def pack(state: Any) -> bytes:
    """Return `state` as the content of a file; TypeError for what is no plain data."""
    writer = _Writer()
    tree = json.dumps(writer.plain(state), allow_nan=False, separators=(",", ":")).encode("ascii")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, array in [(_TREE, np.frombuffer(tree, dtype=np.uint8)), *writer.numbered()]:
            content = io.BytesIO()
            npy.write_array(content, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getbuffer())
    return packed.getvalue()


def unpack(content: bytes) -> Any:
    """Return the state that `pack` wrote; DamagedStateError for any other content."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {
                entry.filename.removesuffix(".npy"): _member(archive, entry)
                for entry in archive.infolist()
            }
        return _Reader(members).value(json.loads(members[_TREE].tobytes()), "state")
    except DamagedStateError:
        raise
    except _UNREADABLE as error:
        raise DamagedStateError(
            f"expected a state as it was saved, found damage ({type(error).__name__}: {error})"
        ) from error


_UNREADABLE = (
    *(zipfile.BadZipFile, OSError, EOFError, KeyError, ValueError, TypeError, OverflowError),
    *(RecursionError, NotImplementedError, RuntimeError, SyntaxError, MemoryError, IndexError),
)
"""What reading a damaged archive, array or JSON text raises."""


class _Writer:
    """Turns a state into JSON's types, and keeps its arrays."""

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []
        """What has a number in `_numbers` by its identity, so that nothing else can get it."""

    def plain(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, np.bool_ | np.integer | np.floating):
            return self.plain(value.item())
        if isinstance(value, float):
            return value if math.isfinite(value) else {"$float": str(value)}
        if isinstance(value, list | tuple):
            return [self.plain(each) for each in value]
        if isinstance(value, dict):
            return self._dictionary(value)
        if isinstance(value, np.ndarray) and value.dtype.kind in _KINDS:
            return {"$array": self._number(value, value)}
        if isinstance(value, bytes):
            return {"$bytes": self._number(value, np.frombuffer(value, dtype=np.uint8))}
        raise TypeError(f"expected plain data, found {type(value).__name__}")

    def _dictionary(self, value: dict[Any, Any]) -> dict[str, Any]:
        items = [(key, self.plain(each)) for key, each in value.items()]
        if all(isinstance(key, str) and not key.startswith("$") for key, _ in items):
            return dict(items)
        return {"$pairs": [[self.plain(key), each] for key, each in items]}

    def numbered(self) -> list[tuple[str, NDArray[Any]]]:
        """The arrays of what was written, each with the name of its member."""
        return [(str(number), array) for number, array in enumerate(self.arrays)]

    def _number(self, owner: Any, array: NDArray[Any]) -> int:
        """The number of an array; what is in a state twice is written once."""
        if id(owner) not in self._numbers:
            self._numbers[id(owner)] = len(self.arrays)
            self._kept.append(owner)
            self.arrays.append(array)
        return self._numbers[id(owner)]


class _Reader:
    """Turns JSON's types back into a state."""

    def __init__(self, members: dict[str, NDArray[Any]]) -> None:
        self._members = members

    def value(self, tree: Any, where: str) -> Any:
        if isinstance(tree, float) and not math.isfinite(tree):
            raise DamagedStateError(f"{where}: expected a finite number, found {tree}")
        if isinstance(tree, list):
            return [self.value(each, f"{where}[{at}]") for at, each in enumerate(tree)]
        if not isinstance(tree, dict):
            return tree
        if len(tree) == 1 and (name := next(iter(tree))).startswith("$"):
            return self._marked(name, tree[name], where)
        return {key: self.value(each, f"{where}.{key}") for key, each in tree.items()}

    def _marked(self, name: str, content: Any, where: str) -> Any:
        if name == "$float" and isinstance(content, str) and content in _FLOATS:
            return _FLOATS[content]
        if name in ("$array", "$bytes") and type(content) is int and str(content) in self._members:
            array = self._members[str(content)]
            if name == "$array":
                return array.copy()  # two that were the same when saved may be changed apart
            if array.dtype == np.uint8 and array.ndim == 1:
                return array.tobytes()
        if name == "$pairs" and isinstance(content, list):
            return dict(self._pair(pair, where) for pair in content)
        raise DamagedStateError(
            f"{where}: expected an array, bytes, a number or pairs, found {name} that is none"
        )

    def _pair(self, pair: Any, where: str) -> tuple[Any, Any]:
        if isinstance(pair, list) and len(pair) == 2 and type(pair[0]) in (int, str, bool):
            return pair[0], self.value(pair[1], f"{where}[{pair[0]!r}]")
        raise DamagedStateError(
            f"{where}: expected pairs of a key and a value, found something else"
        )


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    """Read one array, which takes no more memory than the file is long."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > entry.compress_size:
        raise DamagedStateError(
            f"expected the member {entry.filename} uncompressed, found it compressed"
        )
    stream = io.BytesIO(archive.read(entry))
    if npy.read_magic(stream) != (1, 0):
        raise DamagedStateError(
            f"expected the member {entry.filename} in version 1.0 of NumPy's format"
        )
    shape, in_columns, dtype = npy.read_array_header_1_0(stream, max_header_size=_MAX_HEADER)
    rest = stream.read()
    fits = (
        dtype.kind in _KINDS
        and len(shape) <= _MAX_DIMENSIONS
        and all(size >= 0 for size in shape)
        and math.prod(shape) * dtype.itemsize == len(rest)
    )
    if not fits:
        raise DamagedStateError(
            f"expected numbers of the announced shape in {entry.filename}, found {shape} of {dtype}"
            f" in {len(rest)} bytes"
        )
    return np.frombuffer(rest, dtype=dtype).reshape(shape, order="F" if in_columns else "C")
