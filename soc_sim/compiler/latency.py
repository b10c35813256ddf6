"""Traffic of every candidate tiling of a layer, and the time that it takes beside the array's.

What is double-buffered overlaps: the longest of array, DMA queues, memories, interconnect and controller counts. What
is not adds to the array's time. The first loads (fill) and the last store (drain) stand alone. An operand that lies in
a buffer already costs neither time nor space; results that are kept there pass the DMA's own data path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from soc_sim.compiler.accesses import lines_of
from soc_sim.compiler.rates import Rates
from soc_sim.compiler.sizes import Floats, Sizes
from soc_sim.compiler.views import Integers
from soc_sim.config.array import Flow
from soc_sim.config.core import BufferName
from soc_sim.config.soc import MemoryName

Order = Literal["m", "n"]
Split = Literal["channels", "rows"]


class Deal(NamedTuple):
    """How the blocks of a layer are dealt out to cores, and in which order each core works on its own."""

    outer: Order
    split: Split
    cores: int
    held: bool = False
    """Whether the parts of K of a block of weights stay while all pixels pass (``outer`` is m), and inputs that have
    room stay, too; else each part is loaded anew for every tile of pixels."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Passes and bytes over the whole layer, all cores together; arrays S × B."""

    weight_bytes: Integers
    input_bytes: Integers
    addend_bytes: int
    weight_written_bytes: Integers
    """Of the weights buffer: more than are loaded, where they are expanded on the way."""
    weight_loads: Integers
    input_loads: Integers
    addend_loads: Integers
    share: Floats
    """Of the layer: what the core with the most blocks has."""
    cores: Integers
    """How many have any."""


class Service(NamedTuple):
    """How long a memory is busy with an operand of the whole layer, S × B."""

    memory: MemoryName
    time_ps: Floats


class Latency(NamedTuple):
    """Expected time of a layer alone, and what of it belongs to its ends; S × B."""

    whole_ps: Floats
    inputs_ps: Floats
    """Of this, until the first tile of inputs is there; so the next one."""
    weights_ps: Floats | float
    drain_ps: Floats
    """For the last store."""
    computing_ps: Floats
    """From the first Compute to the end of the last, on a core that runs the layer alone, if nothing but the array, and
    what has room once in its buffer, is a bound."""
    bound_ps: Floats
    """What queues, memories, interconnect and controller need for everything."""


class LatencyModel:
    """Prices the candidates of one layer by what they move."""

    def __init__(self, sizes: Sizes, rates: Rates) -> None:
        self.sizes, self.rates = sizes, rates
        self.lines = lines_of(sizes, rates)

    def traffic(self, deal: Deal) -> Traffic:
        """Each tile is loaded again unless it is the one loaded last; k runs innermost."""
        sizes, homes = self.sizes, self.sizes.homes
        by_channels = deal.split == "channels"
        units = sizes.g_tiles * sizes.m_tiles if by_channels else sizes.n_tiles
        cores = np.minimum(deal.cores, units)
        one_k, one_group = sizes.k_tiles == 1, sizes.g_tiles == 1
        # Blocks of a core, and how many cores load a tile that all of them share.
        own_m = -(-sizes.m_tiles // cores) if by_channels else sizes.m_tiles
        own_n = sizes.n_tiles if by_channels else -(-sizes.n_tiles // cores)
        own_m = np.where(one_group, own_m, sizes.m_tiles)
        input_copies = np.where(one_group & by_channels, cores, 1)
        weight_copies = 1 if by_channels else cores
        if deal.outer == "m":
            weight_passes = np.where(one_k | deal.held, weight_copies, sizes.n_tiles)
            stays = one_k & (own_n == 1)
            if deal.held:
                stays = stays | sizes.inputs_fit
            input_passes = np.where(stays, input_copies, sizes.m_tiles)
        else:
            weight_passes = np.where(one_k & (own_m == 1), weight_copies, sizes.n_tiles)
            input_passes = np.where(one_k, input_copies, sizes.m_tiles)
        if homes.resident:
            # A core loads its part once.
            weight_passes = weight_copies + np.zeros(one_k.shape, np.int64)
        loaded, addends = homes.inputs != "inputs_buffer", homes.loaded_addends
        return Traffic(
            weight_passes * sizes.weight_total,
            input_passes * sizes.input_total * loaded,
            addends * sizes.output_total,
            weight_passes * sizes.weight_written,
            weight_passes * (sizes.g_tiles * sizes.m_tiles * sizes.k_tiles),
            input_passes * (sizes.g_tiles * sizes.n_tiles * sizes.k_tiles) * loaded,
            addends * sizes.g_tiles * sizes.n_tiles * sizes.m_tiles,
            np.minimum(1.0, -(-units // cores) * self._unit_share(deal)),
            cores,
        )

    def _unit_share(self, deal: Deal) -> Floats:
        """Of the layer: what is dealt out at once, where it is no smaller one at the edge."""
        nest, spatial, blocks = self.sizes.nest, self.sizes.spatial, self.sizes.blocks
        if deal.split == "channels":
            return np.asarray(blocks.groups * blocks.m / (nest.groups * nest.m), np.float64)[None]
        return np.asarray(spatial.n / nest.gemm.n, np.float64)[:, None]

    def latency(self, dataflow: Flow, cycles: Floats, traffic: Traffic, *, held: bool = False) -> Latency:
        """Expected time, with ``cycles`` of the array in all."""
        sizes, rates, homes = self.sizes, self.rates, self.sizes.homes
        stores = sizes.g_tiles * sizes.m_tiles * sizes.n_tiles
        queues: dict[BufferName, Floats] = {
            "weights": self._weights_queue(traffic),
            "inputs": self._queue(homes.inputs, "inputs", traffic.input_bytes, traffic.input_loads),
            "outputs": self._queue(homes.outputs, "outputs", sizes.output_total, stores, write=True),
        }
        loads = self.moves(traffic)
        for memory in homes.addends:
            if memory != "inputs_buffer":
                part = self._queue(memory, "inputs", sizes.output_total, stores)
                queues["inputs"] = queues["inputs"] + part
        instructions = loads["weights"] + loads["inputs"] + stores * (sizes.k_tiles + 1)
        array = cycles * rates.array_cycle_ps
        late = self._late(queues["weights"])
        moved = queues | {"weights": queues["weights"] * late}
        moving = np.maximum.reduce(np.broadcast_arrays(*self._channels(moved), instructions * rates.dispatch_ps))
        fill = queues["inputs"] / np.maximum(loads["inputs"], 1) + rates.latency_ps[homes.inputs]
        first = queues["weights"] / np.maximum(loads["weights"], 1) + rates.latency_ps[homes.weights]
        inputs_ps, weights_ps = fill, 0.0 if homes.resident else first
        waits: Floats = np.zeros((1, 1))
        if not homes.resident:
            fill = np.maximum(first, fill)
        elif sizes.soc.cores == 1:
            # While the first tile arrives, the layer before is at work on its last one.
            waits = np.maximum(first - homes.ahead_ps - fill, 0.0)
            moved["weights"] = moved["weights"] + array / np.maximum(loads["weights"], 1)
        served = self._served(traffic, late)
        computing = array + waits + self._serial(dataflow, array, queues, traffic, served, held=held)
        steady = np.maximum(computing, moving)
        if homes.resident:
            steady = np.maximum.reduce(np.broadcast_arrays(steady, *self._channels(moved)))
        shared, fabric = self._shared(traffic, late)
        drain = queues["outputs"] / stores + rates.latency_ps[homes.outputs]
        own = steady * traffic.share
        whole: Floats = np.maximum(np.maximum(own, shared), fabric) + fill + drain
        if traffic.cores.max() > 1:
            first, last = self._together(traffic, stores)
            whole = np.maximum(whole, own + np.maximum(fill, first) + np.maximum(drain, last))
        bound = np.maximum(np.maximum(moving, shared), fabric)
        return Latency(whole, inputs_ps, weights_ps, drain, computing, bound)

    def demands_ps(self, traffic: Traffic) -> dict[MemoryName, Floats]:
        """For how long each memory is busy with the layer, as one that nothing else asks."""
        late = self._late(self._weights_queue(traffic))
        return self._memories(traffic, self._reads(traffic, late), late)

    def busiest_ps(self, traffic: Traffic) -> Floats:
        """The longest of these times."""
        longest: Floats = np.zeros((1, 1))
        for time in self.demands_ps(traffic).values():
            longest = np.maximum(longest, time)
        return longest

    def _weights_queue(self, traffic: Traffic) -> Floats:
        queue = self._queue(self.sizes.homes.weights, "weights", traffic.weight_bytes, traffic.weight_loads)
        if self.sizes.expands:
            queue = np.maximum(queue, traffic.weight_written_bytes * self.rates.expand_ps_per_byte)
        return queue

    def _late(self, weights_queue: Floats) -> Floats | float:
        """The share of the weights that is not there before the layer begins.

        Nothing keeps resident weights from their buffer: they are fetched while earlier layers leave the DMA idle.
        """
        homes = self.sizes.homes
        if not homes.resident:
            return 1.0
        late: Floats = np.maximum(1 - homes.ahead_ps / np.maximum(weights_queue, 1), 0.0)
        return late

    def _together(self, traffic: Traffic, stores: Integers) -> tuple[Floats, Floats]:
        """Time of the memories for the first loads of all cores, and for their last stores.

        Cores begin a layer together, for each waits for what the others have stored of the one before.
        """
        homes, zero = self.sizes.homes, np.zeros((1, 1))
        first, last = dict[MemoryName, Floats](), zero
        tiles: list[tuple[MemoryName, Floats, Floats | float]] = [
            (homes.weights, traffic.weight_bytes / np.maximum(traffic.weight_loads, 1), self.lines["weights"][0]),
            (homes.inputs, traffic.input_bytes / np.maximum(traffic.input_loads, 1), self.lines["inputs"][0]),
        ]
        for memory, size, rounding in tiles[homes.resident :]:
            if memory in self.rates.memories:
                rate = max(self.rates.memories[memory].read_ps_per_byte, self.rates.fabric_ps_per_byte)
                first[memory] = first.get(memory, zero) + size * rounding * rate
        if homes.outputs in self.rates.memories:
            rate = max(self.rates.memories[homes.outputs].write_ps_per_byte, self.rates.fabric_ps_per_byte)
            last = self.sizes.output_total / stores * self.lines["outputs"][0] * rate
        slowest = zero
        for memory, time in first.items():
            slowest = np.maximum(slowest, time * traffic.cores + self.rates.latency_ps[memory])
        return slowest, last * traffic.cores + self.rates.latency_ps[homes.outputs]

    def _queue(
        self, memory: MemoryName, operand: BufferName, size: Integers | int, moves: Integers, *, write: bool = False
    ) -> Floats:
        """Time of a DMA queue for an operand: bytes at its rate, whole accesses at the memory's, or requests."""
        rounding, regions, requests = self.lines[operand]
        rates, rate = self.rates, self.rates.memories.get(memory)
        per_byte = (rates.store_ps_per_byte if write else rates.load_ps_per_byte)[memory]
        access = 0.0 if rate is None else rounding * (rate.write_ps_per_byte if write else rate.read_ps_per_byte)
        slowest = np.maximum(np.maximum(per_byte, access), requests * rates.request_ps[memory])
        time: Floats = size * slowest + moves * regions * rates.descriptor_ps
        return time

    def _serial(
        self,
        dataflow: Flow,
        array: Floats,
        queues: dict[BufferName, Floats],
        traffic: Traffic,
        served: dict[BufferName, Service],
        *,
        held: bool,
    ) -> Floats:
        """A queue whose next tile has no room waits for the array; the first tile belongs to fill or drain.

        The Compute that makes room for it makes room for one more tile of each other operand, too, so all of them are
        moved at the same time, and the memory serves them in turn. What of the next block of held weights has no room
        beside this one comes piece by piece while the last pixels pass.
        """
        tiles, loads = self.sizes.tile_bytes(dataflow, held=held), self.moves(traffic)
        # What is added comes with its inputs, in the same time.
        times = loads | {"inputs": np.maximum(traffic.input_loads, traffic.addend_loads)}
        single = {name: ~double for name, double in self.double_buffered(dataflow, loads, held=held).items()}
        serial: Floats = np.zeros((1, 1))
        for name, waits in single.items():
            if not waits.any():
                continue
            own, moves = served[name], np.maximum(loads[name], 1)
            shared = own.time_ps
            for other, theirs in served.items():
                if other != name and theirs.memory == own.memory:
                    beside = theirs.time_ps * (moves / np.maximum(moves, times[other]))
                    shared = shared + np.where(single[other], 0.0, np.minimum(own.time_ps, beside))
            time = np.maximum(queues[name], shared) + moves * self.rates.latency_ps[own.memory]
            if held and name == "weights":
                k_tiles, blocks = self.sizes.k_tiles, self.sizes.g_tiles * self.sizes.m_tiles
                beyond = 2 - self.sizes.room_bytes(name) / np.maximum(tiles[name], 1)
                last_pass = array / self.sizes.n_tiles * (1 - 1 / k_tiles)
                serial = serial + np.where(waits, np.maximum(time * beyond - last_pass, 0.0) * (1 - 1 / blocks), 0.0)
            else:
                serial = serial + np.where(waits, time * (1 - 1 / moves), 0.0)
        return serial

    def double_buffered(
        self, dataflow: Flow, moves: Mapping[BufferName, Integers | int], *, held: bool = False
    ) -> dict[BufferName, NDArray[np.bool_]]:
        """Operands that have room for a second tile; ``moves``: how many tiles are loaded or stored.

        In a buffer that several share, what moves more often comes first, for it is what the array would wait for.
        """
        tiles, found = self.sizes.tile_bytes(dataflow, held=held), dict[BufferName, NDArray[np.bool_]]()
        for pad, operands in self.sizes.soc.buffers.pads.items():
            size = np.stack(np.broadcast_arrays(*(tiles[name] for name in operands)))
            free = self.sizes.room_bytes(pad) - size.sum(axis=0)
            if operands == ("inputs",):
                # What a fused addition reads comes with the last part of k alone.
                size = size - self.sizes.loaded_addend_tile * (self.sizes.k_tiles > 1)
            order = np.zeros_like(size)
            if len(operands) > 1:
                often = np.stack([np.broadcast_to(moves[name], size.shape[1:]) for name in operands])
                order = np.argsort(-often, axis=0, kind="stable")
            double = np.empty(size.shape, bool)
            np.put_along_axis(double, order, np.cumsum(np.take_along_axis(size, order, 0), axis=0) <= free, 0)
            found |= dict(zip(operands, double, strict=True))
        return found

    def moves(self, traffic: Traffic) -> dict[BufferName, Integers | int]:
        """Tiles of each operand that are loaded or stored."""
        stores = self.sizes.g_tiles * self.sizes.m_tiles * self.sizes.n_tiles
        return {
            "weights": traffic.weight_loads,
            "inputs": traffic.input_loads + traffic.addend_loads,
            "outputs": stores,
        }

    def _channels(self, queues: dict[BufferName, Floats]) -> list[Floats]:
        """Time of each DMA channel."""
        channels: dict[str, Floats] = {}
        for name, channel in self.sizes.soc.dma.channel_of.items():
            channels[channel] = channels.get(channel, np.zeros((1, 1))) + queues[name]
        return list(channels.values())

    def _served(self, traffic: Traffic, late: Floats | float) -> dict[BufferName, Service]:
        """Time for which the memory of each operand is busy with it; addends are taken to come with the inputs.

        ``late``: the share of the weights that is not there before the layer begins.
        """
        sizes, homes = self.sizes, self.sizes.homes

        def of(memory: MemoryName, moved_bytes: Any, *, write: bool = False) -> Service:
            rate = self.rates.memories.get(memory)
            per_byte = 0.0 if rate is None else rate.write_ps_per_byte if write else rate.read_ps_per_byte
            return Service(memory, moved_bytes * per_byte + np.zeros((1, 1)))

        addends = homes.loaded_addends * sizes.output_total
        source = homes.inputs if homes.inputs != "inputs_buffer" or not addends else homes.addends[0]
        return {
            "weights": of(homes.weights, traffic.weight_bytes * late * self.lines["weights"][0]),
            "inputs": of(source, (traffic.input_bytes + addends) * self.lines["inputs"][0]),
            "outputs": of(homes.outputs, sizes.output_total * self.lines["outputs"][0], write=True),
        }

    def _shared(self, traffic: Traffic, late: Floats | float) -> tuple[Floats, Floats]:
        """Time of the memory, and of the interconnect's data path, that has the most to do for all cores.

        ``late``: as in ``_served``.
        """
        sizes, homes, soc = self.sizes, self.sizes.homes, self.sizes.soc
        reads = self._reads(traffic, late)
        shared: Floats = np.zeros((1, 1))
        fabric = shared
        for time in self._memories(traffic, reads, late).values():
            shared = np.maximum(shared, time)
        paths = [*reads.values()]
        if homes.outputs in self.rates.memories:
            paths.append(np.full((1, 1), float(sizes.output_total)))
        for path in paths:
            fabric = fabric + path if soc.interconnect.kind == "bus" else np.maximum(fabric, path)
        return shared, fabric * self.rates.fabric_ps_per_byte

    def _read(self, traffic: Traffic, late: Floats | float) -> list[tuple[MemoryName, Floats, Floats | float]]:
        """What is read from memories: which, bytes, and what a memory moves for each of them."""
        sizes, homes, zero = self.sizes, self.sizes.homes, np.zeros((1, 1))
        moved: list[tuple[MemoryName, Floats, Floats | float]] = [
            (homes.weights, zero + traffic.weight_bytes * late, self.lines["weights"][0]),
            (homes.inputs, zero + traffic.input_bytes, self.lines["inputs"][0]),
            *((memory, zero + sizes.output_total, self.lines["inputs"][0]) for memory in homes.addends),
        ]
        return [one for one in moved if one[0] in self.rates.memories]

    def _reads(self, traffic: Traffic, late: Floats | float) -> dict[MemoryName, Floats]:
        """Bytes read from each memory."""
        reads = dict[MemoryName, Floats]()
        for memory, size, _ in self._read(traffic, late):
            reads[memory] = reads[memory] + size if memory in reads else size
        return reads

    def _memories(
        self, traffic: Traffic, reads: Mapping[MemoryName, Floats], late: Floats | float
    ) -> dict[MemoryName, Floats]:
        """Time of each memory; at worst reads and writes alternate from chunk to chunk."""
        sizes, homes, soc = self.sizes, self.sizes.homes, self.sizes.soc
        zero: Floats = np.zeros((1, 1))
        served = dict[MemoryName, Floats]()
        for memory, size, rounding in self._read(traffic, late):
            rate = self.rates.memories[memory].read_ps_per_byte
            served[memory] = served.get(memory, zero) + size * rounding * rate
        if homes.outputs in self.rates.memories:
            rate = self.rates.memories[homes.outputs].write_ps_per_byte
            part = sizes.output_total * self.lines["outputs"][0] * rate
            served[homes.outputs] = served.get(homes.outputs, zero) + part
            turns = np.minimum(reads.get(homes.outputs, zero), sizes.output_total) / (
                soc.dma.chunk_bytes * getattr(soc.memories[homes.outputs], "channels", 1)
            )
            served[homes.outputs] = served[homes.outputs] + turns * self.rates.memories[homes.outputs].turnaround_ps
        return served
