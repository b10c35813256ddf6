"""The compiler from end to end: groups, layout, nests, choices, addresses, instructions."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from soc_sim.compiler.bands import Band, bands
from soc_sim.compiler.cores import CorePlanner
from soc_sim.compiler.emit import Emitter
from soc_sim.compiler.fusion import Group, family, group_operators
from soc_sim.compiler.hazards import Hazards
from soc_sim.compiler.host import HostWork, host_work, summary
from soc_sim.compiler.layout import lay_out
from soc_sim.compiler.lowered import Lowered, Work, beside_host
from soc_sim.compiler.lowering import lower
from soc_sim.compiler.options import Options
from soc_sim.compiler.placing import ArrayLayer, Placer
from soc_sim.compiler.prices import Prices
from soc_sim.compiler.program import Estimate, Layer, Program
from soc_sim.compiler.rates import rates_of
from soc_sim.compiler.residencies import Residencies, kept_of, residency_of
from soc_sim.compiler.tiles import tile_count
from soc_sim.compiler.zeros import Zeros, zeros_of
from soc_sim.config.array import DATAFLOWS, FLOWS, SPARSE_DATAFLOWS, Flow, dense_family
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import Sparsity
from soc_sim.errors import MappingError, suggestion
from soc_sim.network.base import Network
from soc_sim.network.operators import gemm_shape
from soc_sim.sparsity.reorder import Order

MOST_TILES = 1_000_000
"""A program of more tiles takes minutes and gigabytes: its buffers were most likely meant to be larger."""


def compile(  # noqa: A001  the field's word
    network: Network,
    soc: Soc,
    mapping: Mapping | None = None,
    sparsity: Literal["dense"] | Sparsity | Zeros = "dense",
    prices: Prices | None = None,
) -> Program:
    """The program that runs ``network`` on ``soc``.

    Args:
        network: operators in topological order; its ``batch`` is compiled in.
        soc: the hardware.
        mapping: dataflow of all layers or of each; default: chosen by expected latency.
        sparsity: where weights are zero; as ``Zeros`` for this network and array, to compile it more than once.
        prices: what actions cost (``energy.prices``), for a mapping whose objective is energy or edp.

    Raises:
        MappingError: a layer, or the network, does not fit; or ``mapping`` or ``sparsity`` names what does not exist.
    """
    mapping = mapping or Mapping()
    if mapping.layer_objective != "latency" and prices is None:
        raise MappingError(f"mapping.objective: {mapping.objective} needs the prices of actions (soc_sim.compile)")
    if mapping.cores is not None and mapping.cores > soc.cores:
        raise MappingError(f"mapping.cores: {soc.name} has no {mapping.cores} cores; allowed: 1 to {soc.cores}")
    return _Compilation(network, soc, mapping, sparsity, prices).program()


class _Compilation:
    def __init__(
        self,
        network: Network,
        soc: Soc,
        mapping: Mapping,
        sparsity: Literal["dense"] | Sparsity | Zeros,
        prices: Prices | None,
    ) -> None:
        self.network, self.mapping, self.cores = network, mapping, soc.cores
        # What is compiled for a part of the cores does not differ from what is for a SoC with so many.
        self.soc = soc = soc.model_copy(update={"cores": mapping.cores or soc.cores})
        self.zeros = None if sparsity == "dense" else zeros_of(network, sparsity, soc.array)
        self.sparse = self.zeros is not None and mapping.sparse
        self.rates = rates_of(soc)
        self.options = Options(
            objective=mapping.layer_objective,
            prices=None if mapping.layer_objective == "latency" else prices,
            memory_price=mapping.memory_price,
            side_by_side=mapping.side_by_side,
            reorder=mapping.reorder,
        )
        self.layout = lay_out(network, group_operators(network), soc.array.operand_bytes)
        self.names = _unique_names(self.layout.groups)

    def program(self) -> Program:
        layout = self.layout
        if self.mapping.sram_weights != "off" and self.soc.system_sram is None:
            raise MappingError(f"mapping.sram_weights: {self.soc.name} has no system_sram; allowed: off")
        placer = Placer(self.network, self.soc, layout, self.names, copied=self.mapping.sram_weights == "copied")
        flows = self._flows()
        placer.check_largest_activation()
        lowered = self._lowered(flows)
        ends = tuple(tuple(layout.views[name].root for name in names) for names in self._ends())
        sharing = CorePlanner(lowered, layout.storages, ends, self.soc, self.rates, self.options, self.mapping).plan()
        found, stages = sharing.found, sharing.stages
        works = [
            work if isinstance(work, HostWork) else ArrayLayer.of(work, choice, stages.of(index))
            for index, (work, choice) in enumerate(zip(lowered, found.choices, strict=True))
        ]
        self._check_tiles(works)
        homes, packed, memory_map, plans = placer.place(works, found)
        addresses = {root: address for plan in plans for root, address in plan.addresses.items()}
        predecessors = {root: before for plan in plans for root, before in plan.predecessors.items()}
        tilings = [work.tiles.tiling for work in works if isinstance(work, ArrayLayer)]
        emitter = Emitter(
            self.soc.array,
            self.soc.cores,
            homes,
            Hazards(addresses, predecessors),
            kept_of(found, layout.storages, stages),
            alone=all(tiling.first_core + tiling.cores == 1 for tiling in tilings),
        )
        layers = []
        for index, (group, work) in enumerate(zip(layout.groups, works, strict=True)):
            layer = self._layer(index, group, work, found)
            if isinstance(work, HostWork):
                emitter.host(index, work, self._bands(index, work), self.soc.host, stages.of(index))
            else:
                layer = replace(layer, input_bytes_skipped=emitter.array_layer(index, packed[index], self.soc.host))
            layers.append(layer)
        return Program(
            self.network.name,
            tuple(layers),
            tuple(emitter.instructions),
            memory_map,
            self.cores,
            (*self.network.warnings, *summary(layout.groups), *(self.zeros.warnings() if self.zeros else ())),
            sparse=self.sparse,
            stages=sharing.records,
            pace=sharing.pace,
        )

    def _flows(self) -> list[tuple[Flow, ...]]:
        """The dataflows each layer may use (empty for host layers)."""
        wish = self.mapping.dataflow
        supported = [flow for flow in FLOWS if dense_family(flow) in self.soc.array.dataflows]
        expanded = self.soc.dma.decompression is not None
        allowed = tuple(flow for flow in supported if (self.sparse and not expanded) or flow in DATAFLOWS)
        arrays = [name for name, group in zip(self.names, self.layout.groups, strict=True) if group.unit == "array"]
        faults = []
        if isinstance(wish, dict):
            faults += [
                f"mapping.dataflow: '{name}' is no layer that runs on the array of {self.network.name}"
                f"{suggestion(name, arrays)}"
                for name in wish
                if name not in arrays
            ]
        wishes = wish.items() if isinstance(wish, dict) else [("", wish)]
        for name, flow in wishes:
            if flow != "auto" and flow not in allowed:
                path = f"mapping.dataflow.{name}" if name else "mapping.dataflow"
                if flow in supported and expanded:
                    what = f"{flow} skips zeros of weights, which soc.dma.decompression puts back when they are loaded"
                elif flow in supported:
                    what = f"{flow} needs weights with zeros, and this run is dense (workload.sparsity, mapping.sparse)"
                else:
                    what = f"the array of {self.soc.name} cannot run {flow}"
                faults.append(f"{path}: {what}; allowed: {', '.join(allowed)}")
        if faults:
            raise MappingError(*faults)

        def flows(name: str) -> tuple[Flow, ...]:
            choice = wish.get(name, "auto") if isinstance(wish, dict) else wish
            return allowed if choice == "auto" else (choice,)

        return [
            flows(name) if group.unit == "array" else ()
            for name, group in zip(self.names, self.layout.groups, strict=True)
        ]

    def _lowered(self, flows: list[tuple[Flow, ...]]) -> list[Work]:
        works: list[Work] = []
        faults: list[str] = []
        for name, group, allowed in zip(self.names, self.layout.groups, flows, strict=True):
            if group.unit == "host":
                works.append(host_work(self.network, group, self.layout))
                continue
            try:
                nest, operands = lower(self.network, group, self.layout.views)
            except MappingError as error:
                faults += error.faults
                continue
            weights = nonzero = None
            if self.zeros and self.sparse:
                expanded = self.soc.dma.decompression is not None
                weights = self.zeros.layer(name, group.head, nest, self.mapping.format, expanded=expanded)
                nonzero = None if weights is None else weights.nonzero
            elif self.zeros:
                nonzero = self.zeros.of(name, group.head, nest)
            if weights is None and self.sparse and allowed[0] in SPARSE_DATAFLOWS:
                # One sparse flow for all layers: a product of two activations runs its dense form.
                allowed = (dense_family(allowed[0]),)
            sparsity = None if nonzero is None else 1 - np.count_nonzero(nonzero) / nonzero.size
            works.append(Lowered(name, nest, operands, allowed, weights, sparsity))
        if self.zeros:
            faults += self.zeros.found_wrong()
        if faults:
            raise MappingError(*faults)
        banded = {index for index, work in enumerate(works) if len(self._bands(index, work)) > 1}
        return beside_host(works, banded)

    def _bands(self, index: int, work: Work) -> list[Band]:
        if not isinstance(work, HostWork):
            return []
        return bands(self.layout.groups[index], work, self.soc.host.block_bytes)

    def _check_tiles(self, works: list[HostWork | ArrayLayer]) -> None:
        """Refuse what would not be simulated in a lifetime, before it fills the computer's memory."""
        counts = {
            name: tile_count(work.nest, work.choice.tiling)
            for name, work in zip(self.names, works, strict=True)
            if isinstance(work, ArrayLayer)
        }
        total = sum(counts.values())
        if total > MOST_TILES:
            largest = max(counts, key=lambda name: counts[name])
            raise MappingError(
                f"{self.network.name} needs {total} tiles on {self.soc.name}, because its buffers hold so little "
                f"(layer {largest} alone {counts[largest]}); allowed: {MOST_TILES}; enlarge soc.buffers"
            )

    def _layer(self, index: int, group: Group, work: HostWork | ArrayLayer, found: Residencies) -> Layer:
        operators = tuple(operator.name for operator in (*group.dequantisers, *group.scalings, *group.operators))
        layer = Layer(
            index,
            self.names[index],
            group.head.op_type,
            operators,
            group.unit,
            residency=residency_of(index, work, found, "weight_memory" if self.soc.weight_memory else "dram"),
        )
        if isinstance(work, HostWork):
            read, written = (
                sum(view.size_bytes for view in views if found.memories.get(view.root, "dram") == "dram")
                for views in (work.reads, work.writes)
            )
            products = [operator for operator in group.operators if family(operator) == "gemm"]
            macs = sum(gemm_shape(operator, self.network).macs for operator in products)
            return replace(layer, macs=macs, estimate=Estimate(0, read, written, found.times_ps[index]))
        gemm, choice = work.nest.gemm, work.choice
        return replace(
            layer,
            macs=gemm.macs,
            gemm=gemm,
            dataflow=choice.dataflow,
            tiling=choice.tiling,
            estimate=choice.estimate,
            sparsity=work.sparsity,
            weight_format=(choice.weights.format if choice.weights else "dense") if work.operands.w is None else None,
            weight_bytes=work.tiles.stored_bytes(self.soc.array) if work.operands.w is None else 0,
            metadata_bytes=sum(-(-size.metadata_bits // 8) for size in work.tiles.stored.values()),
            regret=choice.regret,
            row_order=_plain(choice.weights.order if choice.weights else None),
            k_order=_plain(choice.weights.k_order if choice.weights else None),
            reorder_gain=choice.reorder_gain,
            buffer_shares=choice.shares,
        )

    def _ends(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.network.inputs, self.network.outputs


def _plain(order: Order | None) -> tuple[tuple[int, ...], ...] | None:
    return None if order is None else tuple(map(tuple, order.tolist()))


def _unique_names(groups: list[Group]) -> list[str]:
    """Names of the head operators, numbered where they repeat."""
    seen: dict[str, int] = {}
    names = []
    for group in groups:
        count = seen[group.head.name] = seen.get(group.head.name, 0) + 1
        names.append(group.head.name if count == 1 else f"{group.head.name}#{count}")
    return names
