"""Protocol Buffers' wire format: single fields as bytes, and whole columns of messages at once.

Format: "Encoding", protobuf.dev. A column of n messages is a table of bytes, one row each, with a mask of those that
are used, because varints differ in length; rows are put together side by side, and flattened once at the end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from soc_sim.observe.trace.columns import Integers, Numbers

_VARINT, _FIXED64, _LENGTH = 0, 1, 2


def number(field: int, value: int) -> bytes:
    """A field with an integer, at least 0.

    >>> number(1, 150).hex()
    '089601'
    """
    return _tag(field, _VARINT) + _varint(value)


def message(field: int, content: bytes | str) -> bytes:
    """A field with a message, bytes or text.

    >>> message(2, "testing").hex()
    '120774657374696e67'
    """
    data = content.encode() if isinstance(content, str) else content
    return _tag(field, _LENGTH) + _varint(len(data)) + data


def _tag(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Column:
    """Bytes of n rows, of which each uses some."""

    __slots__ = ("data", "used")

    def __init__(self, data: npt.NDArray[np.uint8], used: npt.NDArray[np.bool_]) -> None:
        self.data = data
        """Shape (n, width)."""
        self.used = used
        """Shape (n, width)."""

    def where(self, chosen: npt.NDArray[np.bool_]) -> Column:
        """The same in the rows chosen, shape (n,), and nothing in the others."""
        return Column(self.data, self.used & chosen[:, np.newaxis])

    def to_bytes(self) -> bytes:
        """The rows one after another."""
        return self.data[self.used].tobytes()


def joined(*columns: Column) -> Column:
    """Side by side."""
    return Column(
        np.concatenate([column.data for column in columns], axis=1),
        np.concatenate([column.used for column in columns], axis=1),
    )


def constants(rows: int, content: bytes) -> Column:
    """The same bytes in every row."""
    data = np.broadcast_to(np.frombuffer(content, np.uint8), (rows, len(content)))
    return Column(data, np.ones(data.shape, np.bool_))


def numbers(field: int, values: Integers) -> Column:
    """A field with integers, at least 0, shape (n,)."""
    return joined(constants(len(values), _tag(field, _VARINT)), _varints(values))


def fixed64(field: int, values: Integers | Numbers) -> Column:
    """A field with eight bytes: an integer, or a double."""
    data = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).view(np.uint8).reshape(-1, 8)
    return joined(constants(len(values), _tag(field, _FIXED64)), Column(data, np.ones(data.shape, np.bool_)))


def messages(field: int, content: Column) -> Column:
    """A field with messages."""
    lengths = content.used.sum(axis=1, dtype=np.int64)
    return joined(constants(len(lengths), _tag(field, _LENGTH)), _varints(lengths), content)


def _varints(values: Integers) -> Column:
    most = int(values.max(initial=0))
    width = max(1, -(-most.bit_length() // 7))
    shifts = np.arange(0, 7 * width, 7)
    rest = values[:, np.newaxis] >> shifts
    used = rest > 0
    used[:, 0] = True
    data = (rest & 0x7F).astype(np.uint8)
    # All but the last byte that is used say that more follow.
    data[:, :-1] |= used[:, 1:].astype(np.uint8) << 7
    return Column(data, used)
