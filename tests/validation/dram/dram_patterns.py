"""Request patterns of ``dram_reference.csv``: name → requests of 64 bytes, in the order in which they are presented.

The first letter names the class: a sequential reads, b sequential writes, c strides, d random, e interleaved streams,
f two-dimensional tiles, g bursts with pauses, h few reads outstanding, i blocks read and written in turn, j a tiled
matrix product. Within a pattern no address is read twice, and none that is read is written.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

from soc_sim.components.memory.dram.replay import Request
from soc_sim.config.memory import Dram

LINE = 64
KIB, MIB = 2**10, 2**20
Pattern = Callable[[Dram], Iterable[Request]]


def _request(address: int, *, write: bool = False, at_ns: float = 0) -> Request:
    return Request(round(at_ns * 1000), address, LINE, write)


def _block(base: int, size: int, *, write: bool = False, at_ns: float = 0) -> Iterator[Request]:
    for address in range(base, base + size, LINE):
        yield _request(address, write=write, at_ns=at_ns)


def sequential(size: int, _: Dram, *, write: bool = False) -> Iterator[Request]:
    return _block(0, size, write=write)


def strided(stride: Callable[[Dram], int], count: int, dram: Dram) -> Iterator[Request]:
    for index in range(count):
        yield _request(index * stride(dram))


def at_random(seed: int, count: int, _: Dram, *, write: bool = False, gap_ns: float = 0) -> Iterator[Request]:
    """Without repetition in 64 MiB."""
    lines = random.Random(seed).sample(range(64 * MIB // LINE), count)  # noqa: S311 # the pattern's own
    for index, line in enumerate(lines):
        yield _request(line * LINE, write=write, at_ns=index * gap_ns)


def mixed(seed: int, count: int, _: Dram) -> Iterator[Request]:
    """Reads in the lower 64 MiB; each with probability 1/3 is a write to the upper 64 MiB instead."""
    generator = random.Random(seed)  # noqa: S311 # the pattern's own
    for line in generator.sample(range(64 * MIB // LINE), count):
        write = generator.random() < 1 / 3
        yield _request(line * LINE + 64 * MIB * write, write=write)


def streams(kinds: str, grain: int, offsets: tuple[int, ...], _: Dram) -> Iterator[Request]:
    """``grain`` bytes of each stream in turn, 1 MiB of each; they start 16 MiB and their offset apart."""
    for position in range(0, MIB, grain):
        for index, kind in enumerate(kinds):
            yield from _block(index * 16 * MIB + offsets[index] + position, grain, write=kind == "W")


def tiles(width: int, pitch: int, _: Dram) -> Iterator[Request]:
    """256 KiB of a matrix of ``pitch`` bytes a row, in tiles of 64 rows, left to right, then down."""
    height, across = 64, max(1, pitch // width)

    def walk() -> Iterator[Request]:
        tile = 0
        while True:
            down, right = divmod(tile, across)
            for row in range(down * height, (down + 1) * height):
                yield from _block(row * pitch + right * width, width)
            tile += 1

    return islice(walk(), 256 * KIB // LINE)


def bursty(period_ns: int, _: Dram, *, write_back: bool = False) -> Iterator[Request]:
    """64 bursts of 16 KiB; every second one is written elsewhere if ``write_back``."""
    for index in range(64):
        write = write_back and index % 2 == 1
        yield from _block(32 * MIB * write + index * 16 * KIB, 16 * KIB, write=write, at_ns=index * period_ns)


def turns(block: int, _: Dram) -> Iterator[Request]:
    """1 MiB read and 1 MiB written, a block of each in turn."""
    for position in range(0, MIB, block):
        yield from _block(position, block)
        yield from _block(32 * MIB + 24 * KIB + position, block, write=True)


def matrix_product(_: Dram) -> Iterator[Request]:
    """C = A·B of 256³ int8 with int32 results in tiles of 64³; what is read again comes from a copy 1 MiB further."""
    edge, tile = 256, 64
    steps = range(0, edge, tile)
    for m_index, m in enumerate(steps):
        for n_index, n in enumerate(steps):
            for k in steps:
                for row in range(m, m + tile):
                    yield from _block(n_index * MIB + row * edge + k, tile)
                for row in range(k, k + tile):
                    yield from _block(16 * MIB + m_index * MIB + row * edge + n, tile)
            for row in range(m, m + tile):
                yield from _block(32 * MIB + (row * edge + n) * 4, tile * 4, write=True)


ALIGNED, SKEWED = (0, 0, 0), (0, 24 * KIB, 40 * KIB)

PATTERNS: dict[str, Pattern] = {
    **{f"a_seq_read_{n}M": partial(sequential, n * MIB) for n in (1, 8)},
    **{f"b_seq_write_{n}M": partial(sequential, n * MIB, write=True) for n in (1, 8)},
    "c_stride_256": partial(strided, lambda _: 256, 4096),
    "c_stride_4K": partial(strided, lambda _: 4 * KIB, 4096),
    "c_stride_row": partial(strided, lambda dram: dram.row_bytes, 4096),
    "c_stride_rowxbanks": partial(strided, lambda dram: dram.row_bytes * dram.banks, 1024),
    "d_rand_read": partial(at_random, 1, 8192),
    "d_rand_write": partial(at_random, 3, 8192, write=True),
    "d_rand_mix_1w3": partial(mixed, 2, 8192),
    **{
        f"e_{len(kinds)}streams_{rw}{skew}g{grain}": partial(streams, kinds, grain, offsets)
        for grain in (64, 256, 1024)
        for kinds, rw in (("RR", ""), ("RRW", "rrw_"))
        for skew, offsets in (("", ALIGNED), ("skew_", SKEWED))
    },
    **{f"f_tile_w{w}_p{p}K": partial(tiles, w, p * KIB) for w in (64, 128, 256, 512) for p in (1, 2, 4, 8)},
    **{f"g_burst16K_{us}us": partial(bursty, us * 1000) for us in (2, 5, 20)},
    "g_burst16K_rw_5us": partial(bursty, 5000, write_back=True),
    "h_seq_out1": partial(sequential, 128 * KIB),
    "h_rand_out1": partial(at_random, 5, 2048),
    "h_rand_200ns": partial(at_random, 6, 2048, gap_ns=200),
    **{f"h_seq_out{n}": partial(sequential, 512 * KIB) for n in (2, 4, 8, 16)},
    **{f"h_rand_out{n}": partial(at_random, 7, 4096) for n in (2, 4, 8, 16)},
    **{f"i_rwblock_{block}": partial(turns, block) for block in (256, 1024, 4096, 16384)},
    "j_gemm_256_t64": matrix_product,
}
