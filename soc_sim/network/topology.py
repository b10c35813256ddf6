"""Networks from SCALE-Sim's topology files: a CSV line a layer, either convolutions or matrix products.

Format: README of SCALE-Sim v2 and v3 (github.com/scalesim-project). The first line is a header, ``#`` begins a comment,
values may be padded with blanks, and a line may end in a comma:

- convolutions: ``name, IFMAP height, IFMAP width, filter height, filter width, channels, filters, stride``; the input
  contains its padding, and a window that does not fit whole at the end counts (sizes are rounded up). ``DP`` in a name
  marks a depthwise layer, which has its filters for each channel.
- matrix products: ``name, M, N, K`` for M×K times K×N, of which K×N are the weights. The header has the letters.

Layers do not feed one another: each has an input and an output of its own, as a topology says no more. Left out: the
column of N:M sparsity (only ``1:1``, dense, is taken; ``workload.sparsity`` says where zeros are).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from soc_sim.errors import NetworkError
from soc_sim.network.base import Network, Tensor
from soc_sim.network.zoo.builder import NetworkBuilder

CONVOLUTION: Final = (
    "IFMAP height",
    "IFMAP width",
    "filter height",
    "filter width",
    "channels",
    "filters",
    "stride",
)
_DENSE = ("", "1:1")
_MOST_FAULTS: Final = 20
_MOST = 2**31


def load(path: Path) -> Network:
    """The network of a topology file, named after it.

    Raises:
        NetworkError: all faults, one line each (of many the first ones).
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise NetworkError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NetworkError(f"{path}: is no topology: allowed: CSV text") from None
    columns = _columns(path, _cells(lines[0]) if lines else [])
    faults: list[str] = []
    builder, outputs, seen = NetworkBuilder(path.stem, str(path)), [], dict[str, int]()
    for number, line in enumerate(lines[1:], start=2):
        cells = _cells(line)
        if not cells:
            continue
        wrong = list(_faults(cells, columns))
        faults += [f"{path}:{number}: {text}" for text in wrong]
        if wrong or faults:
            continue
        seen[cells[0]] = count = seen.get(cells[0], 0) + 1
        name = cells[0] if count == 1 else f"{cells[0]} ({count})"
        values = dict(zip(columns, map(int, cells[1:]), strict=False))
        outputs.append(_layer(builder, name, values))
    if len(faults) > _MOST_FAULTS:
        faults[_MOST_FAULTS:] = [f"{path}: {len(faults) - _MOST_FAULTS} more faults"]
    if faults:
        raise NetworkError(*faults)
    if not outputs:
        raise NetworkError(f"{path}: has no layers; allowed: at least one line below the header")
    return builder.build(*outputs)


def _cells(line: str) -> list[str]:
    """The values of a line without its comment; the last comma ends the line and begins no value."""
    cells = [cell.strip() for cell in line.partition("#")[0].split(",")]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _columns(path: Path, header: Sequence[str]) -> tuple[str, ...]:
    names = [cell.lower() for cell in header]
    if len(names) >= 4 and sorted(names[1:4]) == ["k", "m", "n"]:
        if names[1:4] != ["m", "n", "k"]:
            raise NetworkError(f"{path}:1: the order is {', '.join(header[1:4])}; allowed: M, N, K, as SCALE-Sim reads")
        return ("M", "N", "K")
    if len(names) >= 1 + len(CONVOLUTION) and "ifmap" in names[1]:
        return CONVOLUTION
    raise NetworkError(
        f"{path}:1: the header is '{','.join(header)}'; allowed: name,{','.join(CONVOLUTION)} or name,M,N,K"
    )


def _faults(cells: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    if not 1 + len(columns) <= len(cells) <= 2 + len(columns):
        yield f"has {len(cells)} values; allowed: {1 + len(columns)} (name,{','.join(columns)}), and one for sparsity"
        return
    if not cells[0]:
        yield "has no name; allowed: text"
    wrong = [
        f"{column}: '{cell}' is out of range; allowed: whole numbers from 1 on"
        for column, cell in zip(columns, cells[1:], strict=False)
        if not (cell.isascii() and cell.isdigit() and 0 < int(cell) < _MOST)
    ]
    yield from wrong
    rest = cells[1 + len(columns) :]
    if rest and rest[0] not in _DENSE:
        yield f"sparsity: '{rest[0]}' is not taken from a topology; allowed: 1:1, and zeros as workload.sparsity says"
    if not wrong and columns == CONVOLUTION:
        height, width, filter_height, filter_width = map(int, cells[1:5])
        if filter_height > height or filter_width > width:
            yield f"the filter, {filter_height}×{filter_width}, is larger than its input, {height}×{width}"


def _layer(builder: NetworkBuilder, name: str, values: dict[str, int]) -> Tensor:
    if "M" in values:
        x = builder.input(f"{name}.input", values["M"], values["K"])
        return builder.matmul(name, x, builder.weight(f"{name}.weight", values["K"], values["N"]))
    height, width, filter_height, filter_width, channels, filters, stride = (values[key] for key in CONVOLUTION)
    bottom, right = (-(size - window) % stride for size, window in ((height, filter_height), (width, filter_width)))
    depthwise = "DP" in name
    return builder.conv(
        name,
        builder.input(f"{name}.input", 1, channels, height, width),
        channels=channels * filters if depthwise else filters,
        kernel=(filter_height, filter_width),
        stride=stride,
        padding=(0, 0, bottom, right),
        groups=channels if depthwise else 1,
        bias=False,
    )
