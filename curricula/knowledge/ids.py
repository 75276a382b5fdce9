"""Problem ids, compactly: index to id and id to index for tens of millions of problems.

A problem's index is the rank of its id's 64-bit hash, so the order in which problems were listed
never matters. Ids lie end to end in UTF-8. Of the sorted hashes only 32 bits each are kept,
behind a directory over their leading bits (about 4.5 bytes a problem instead of the hundred of a
dict); a match is always confirmed by comparing the id itself.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula.errors import SettingsError, UnknownProblemError, listed

_CHUNK = 1 << 20


class IdTable:
    """The ids of a problem set, by index."""

    def __init__(
        self, text: NDArray[np.uint8], offsets: NDArray[np.int64], hashes: NDArray[np.uint64]
    ) -> None:
        """Use `build`. `text` holds the ids end to end, in the order of their rising `hashes`."""
        num = len(hashes)
        self._text = text
        self._offsets = offsets.astype(np.uint32 if len(text) < 2**32 else np.uint64)
        self._refuse_bad(hashes)
        self._directory_bits = max(0, num.bit_length() - 4)
        leading = hashes >> np.uint64(64 - self._directory_bits) if self._directory_bits else None
        slots = np.arange(2**self._directory_bits + 1, dtype=np.uint64)
        self._directory = (
            np.array([0, num], dtype=np.int32)
            if leading is None
            else np.searchsorted(leading, slots).astype(np.int32)
        )
        self._fingerprints = self._fingerprint(hashes)

    @classmethod
    def build(cls, ids: Sequence[str]) -> tuple["IdTable", NDArray[np.int64]]:
        """Return the table, and the position in `ids` of the problem of every index."""
        return cls.build_joined(*_join(ids))

    @classmethod
    def build_joined(
        cls, text: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> tuple["IdTable", NDArray[np.int64]]:
        """Return what `build` returns, of ids that lie end to end in UTF-8.

        `offsets` say where each starts, with the end as last entry.
        """
        if len(offsets) > 2**31:
            raise SettingsError(f"expected fewer than 2**31 problems, found {len(offsets) - 1}")
        hashes = _hash(text, offsets)
        order = np.argsort(hashes, kind="stable")
        lengths = np.diff(offsets)[order]
        ordered = np.empty(len(text), dtype=np.uint8)
        filled = 0
        for chunk in _gathered(text, offsets[order], lengths):
            ordered[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
        ends = np.concatenate([[0], np.cumsum(lengths)])
        return cls(ordered, ends, hashes[order]), order

    def __len__(self) -> int:
        return len(self._fingerprints)

    @property
    def num_bytes(self) -> int:
        """Bytes held, the text of the ids included."""
        arrays = (self._text, self._offsets, self._directory, self._fingerprints)
        return sum(array.nbytes for array in arrays)

    def texts(self, indices: NDArray[np.integer]) -> list[str]:
        """Return the ids at these indices."""
        return _split(*self._joined(indices))

    def _joined(self, indices: NDArray[np.integer]) -> tuple[bytes, NDArray[np.uint32]]:
        """The ids at these indices, end to end in UTF-8, and the length of each in bytes."""
        offsets = self._offsets
        lengths = offsets[np.asarray(indices) + 1] - offsets[indices]
        chunks = _gathered(self._text, offsets[indices].astype(np.int64), lengths)
        return b"".join(chunk.tobytes() for chunk in chunks), lengths.astype(np.uint32)

    def packed(self, indices: NDArray[np.integer]) -> dict[str, Any]:
        """Return ids as one text and their lengths, for a saved state.

        A list of texts would be millions of objects.
        """
        text, lengths = self._joined(indices)
        return {"text": text, "lengths": lengths}

    def find(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the index of each id, -1 where there is none."""
        if not len(ids) or not len(self):
            return np.full(len(ids), -1, dtype=np.int64)
        hashes = _hash(*_join(ids))
        low, high = self._slot(hashes)
        wanted = self._fingerprint(hashes)
        low = self._lower_bound(low, high, wanted)
        found = np.full(len(ids), -1, dtype=np.int64)
        open_ = np.arange(len(ids))
        while len(open_):
            # Different ids may share a fingerprint, so go on to the next until the text agrees.
            at = low[open_]
            alike = at < high[open_]
            alike[alike] = self._fingerprints[at[alike]] == wanted[open_[alike]]
            open_, at = open_[alike], at[alike]
            same = np.array(
                [ids[i] == text for i, text in zip(open_.tolist(), self.texts(at), strict=True)],
                dtype=bool,
            )
            found[open_[same]] = at[same]
            open_ = open_[~same]
            low[open_] += 1
        return found

    def known(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the index of each id; UnknownProblemError when there is none for some."""
        indices = self.find(ids)
        if (foreign := np.flatnonzero(indices < 0)).size:
            strangers = [ids[row] for row in foreign.tolist()]
            raise UnknownProblemError(
                f"expected results of problems of this problem set ({len(self)} problems), "
                f"found {len(strangers)} others: {listed(strangers)}; "
                "give the curriculum the same ids as the rollouts"
            )
        return indices

    def digest(self) -> bytes:
        """Return a fingerprint of the set of ids, whatever the order they were given in."""
        digest = hashlib.blake2b(self._text.data, digest_size=16)
        digest.update(self._offsets.data)
        return digest.digest()

    def _slot(self, hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if not self._directory_bits:
            slot = np.zeros(len(hashes), dtype=np.int64)
        else:
            slot = (hashes >> np.uint64(64 - self._directory_bits)).astype(np.int64)
        return self._directory[slot].astype(np.int64), self._directory[slot + 1].astype(np.int64)

    def _fingerprint(self, hashes: NDArray[np.uint64]) -> NDArray[np.uint32]:
        return (hashes >> np.uint64(32 - self._directory_bits)).astype(np.uint32)

    def _lower_bound(
        self, low: NDArray[np.int64], high: NDArray[np.int64], wanted: NDArray[np.uint32]
    ) -> NDArray[np.int64]:
        """Binary search of many fingerprints at once, each within its own [low, high)."""
        last = len(self) - 1
        while (open_ := low < high).any():
            middle = (low + high) >> 1
            before = open_ & (self._fingerprints[np.minimum(middle, last)] < wanted)
            low = np.where(before, middle + 1, low)
            high = np.where(open_ & ~before, middle, high)
        return low

    def _refuse_bad(self, hashes: NDArray[np.uint64]) -> None:
        if (empty := int((np.diff(self._offsets.astype(np.int64)) == 0).sum())) > 0:
            raise SettingsError(f"expected a text as every problem id, found {empty} empty ids")
        twins = np.flatnonzero(hashes[1:] == hashes[:-1])
        near = self.texts(np.unique(np.concatenate([twins, twins + 1]))) if len(twins) else []
        if not near:
            return
        pairs = zip(self.texts(twins), self.texts(twins + 1), strict=True)
        if doubled := sorted({a for a, b in pairs if a == b}):
            raise SettingsError(
                f"expected every problem id once, found {len(doubled)} of them more than once: "
                f"{listed(doubled)}; make the ids unique or drop the duplicate rows"
            )


def _join(ids: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """All ids end to end in UTF-8, and where each starts (with the end as last entry)."""
    try:
        joined = "".join(ids)
        encoded = joined.encode()
    except (TypeError, UnicodeEncodeError) as error:
        raise SettingsError(f"expected texts in Unicode as problem ids: {error}") from None
    if len(encoded) == len(joined):
        lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
    else:
        lengths = np.fromiter((len(name.encode()) for name in ids), np.int64, count=len(ids))
    offsets = np.zeros(len(ids) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return np.frombuffer(encoded, dtype=np.uint8), offsets


def _hash(text: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """FNV-1a of each id, then the SplitMix64 finaliser, so that leading bits are well mixed.

    The same in every process and on every machine, unlike Python's own hash.
    """
    lengths = np.diff(offsets)
    starts = offsets[:-1]
    hashes = np.full(len(lengths), 0xCBF29CE484222325, dtype=np.uint64)
    prime = np.uint64(0x100000001B3)
    active = np.arange(len(lengths))
    shortest = int(lengths.min()) if len(lengths) else 0
    for position in range(int(lengths.max()) if len(lengths) else 0):
        if position < shortest:
            hashes = (hashes ^ text[starts + position]) * prime
            continue
        active = active[lengths[active] > position]
        hashes[active] = (hashes[active] ^ text[starts[active] + position]) * prime
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(hashes ^ (hashes >> np.uint64(31)))


def _gathered(
    text: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.integer]
) -> Iterator[NDArray[np.uint8]]:
    """The stretches of a text that start here, a chunk at a time (whole, it would need 16 x).

    By numpy, which waits for many addresses of memory at once where a slice waits for each.
    """
    for begin in range(0, len(starts), _CHUNK):
        first, long = starts[begin : begin + _CHUNK], lengths[begin : begin + _CHUNK]
        ends = np.cumsum(long, dtype=np.int64)
        yield text[np.repeat(first - (ends - long), long) + np.arange(ends[-1])]


def _split(joined: bytes, lengths: NDArray[np.uint32]) -> list[str]:
    """The ids that `IdTable._joined` joined."""
    ends = np.cumsum(lengths, dtype=np.int64)
    spans = zip((ends - lengths).tolist(), ends.tolist(), strict=True)
    if joined.isascii():
        text = joined.decode("ascii")
        return [text[a:b] for a, b in spans]
    return [joined[a:b].decode() for a, b in spans]


def unpacked(state: dict[str, Any]) -> list[str]:
    """Return the ids that `IdTable.packed` packed."""
    return _split(state["text"], state["lengths"])
