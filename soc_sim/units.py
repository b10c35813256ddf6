"""Quantities with units: what users write (``256 KiB``, ``800 MHz``, ``13.75 ns``) and integers in base units.

Binary prefixes (KiB, MiB, GiB) are powers of 1024, decimal ones (kB, MB, GB) powers of 1000. Bits are refused where
bytes are meant (``4 Mib``), so that no factor of eight slips in.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

PS_PER_S: Final = 10**12

_DECIMAL: Final = {"": 0, "k": 3, "M": 6, "G": 9, "T": 12}
_BINARY: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_SMALL: Final = {"": 0, "m": -3, "u": -6, "µ": -6, "n": -9, "p": -12, "f": -15}


def _sizes(suffix: str) -> dict[str, Decimal]:
    table = {f"{prefix}{suffix}": Decimal(10) ** power for prefix, power in _DECIMAL.items()}
    return table | {f"{prefix}{suffix}": Decimal(factor) for prefix, factor in _BINARY.items()}


UNITS: Final[dict[str, dict[str, Decimal]]] = {
    "bytes": _sizes("B"),
    "bytes_per_s": _sizes("B/s"),
    "hz": {f"{prefix}Hz": Decimal(10) ** power for prefix, power in _DECIMAL.items()},
    "ps": {f"{prefix}s": Decimal(10) ** (power + 12) for prefix, power in _SMALL.items() if power >= -12},
    "pj": {f"{prefix}J": Decimal(10) ** (power + 12) for prefix, power in _SMALL.items()},
    "mw": {f"{prefix}W": Decimal(10) ** (power + 3) for prefix, power in _SMALL.items()},
    "mm2": {"mm²": Decimal(1), "mm2": Decimal(1), "um2": Decimal("1e-6"), "µm²": Decimal("1e-6")},
    "ma": {"A": Decimal(1000), "mA": Decimal(1), "uA": Decimal("1e-3"), "µA": Decimal("1e-3")},
    "v": {"V": Decimal(1), "mV": Decimal("1e-3")},
}
"""Dimension → unit → factor to the dimension's base unit (the dimension's name)."""

EXAMPLES: Final = {
    "bytes": "256 KiB", "bytes_per_s": "12.8 GB/s", "hz": "800 MHz", "ps": "13.75 ns", "pj": "0.6 pJ", "mw": "5 mW",
    "mm2": "0.25 mm2", "ma": "48 mA", "v": "1.1 V",
}  # fmt: skip

_QUANTITY: Final = re.compile(r"\s*([+-]?(?:\d[\d_]*)?(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)\s*([^\d\s.].*?)?\s*\Z")


def parse(text: str, dimension: str) -> Decimal:
    """The quantity in base units of ``dimension`` (a key of :data:`UNITS`).

    >>> int(parse("256 KiB", "bytes"))
    262144
    >>> int(parse("13.75 ns", "ps"))
    13750

    Raises:
        ValueError: not a number with a unit of this dimension; the message says what is allowed.
    """
    units = UNITS[dimension]
    match = _QUANTITY.match(text)
    number, unit = (match.group(1), match.group(2)) if match else ("", None)
    try:
        value = Decimal(number.replace("_", ""))
    except InvalidOperation:
        raise ValueError(
            f"'{text}' is not a quantity; write a number with a unit, as in '{EXAMPLES[dimension]}'"
        ) from None
    if unit is None:
        raise ValueError(f"'{text}' has no unit; write it as in '{EXAMPLES[dimension]}'")
    if unit not in units:
        bits = dimension.startswith("bytes") and unit.replace("/s", "").endswith(("b", "bit", "bits"))
        hint = "bits are not accepted, write bytes (B)" if bits else f"allowed: {', '.join(units)}"
        raise ValueError(f"'{unit}' is not a unit here; {hint}")
    return value * units[unit]


def to_integer(text: str, dimension: str) -> int:
    """As :func:`parse`, rounded to the nearest integer of the base unit (half to even)."""
    return int(parse(text, dimension).to_integral_value())


def format_quantity(value: float, dimension: str) -> str:
    """The shortest exact text that :func:`parse` reads back as the same value.

    >>> format_quantity(262144, "bytes"), format_quantity(800_000_000, "hz"), format_quantity(13750, "ps")
    ('256 KiB', '800 MHz', '13.75 ns')
    """
    exact = Decimal(repr(value))
    candidates = []
    for position, (unit, factor) in enumerate(UNITS[dimension].items()):
        scaled = exact / factor
        if scaled * factor == exact and unit.isascii():
            number = f"{scaled.normalize():f}"
            candidates.append((len(number), number.startswith("0."), position, f"{number} {unit}"))
    return min(candidates)[-1]
