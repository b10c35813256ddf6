"""Chooses dataflow and tiles of the layers of one network; layers that are alike are chosen once."""

from __future__ import annotations

from dataclasses import replace

from soc_sim.compiler.homes import Homes
from soc_sim.compiler.latency import Deal, Order, Split
from soc_sim.compiler.lowered import Lowered
from soc_sim.compiler.neighbours import Beside
from soc_sim.compiler.options import Options
from soc_sim.compiler.rates import Rates
from soc_sim.compiler.tiling import Choice, Shortage, choose
from soc_sim.compiler.views import View
from soc_sim.config.run import Split as Wish
from soc_sim.config.soc import Soc


class Chooser:
    """Remembers what it has chosen."""

    def __init__(self, soc: Soc, rates: Rates, options: Options, split: Wish) -> None:
        self._soc, self._rates, self._options = soc, rates, options
        self._deals = _deals(soc.cores, split)
        self.keeps = any(deal.cores == 1 for deal in self._deals)
        """Whether a layer may run on one core, as it must where it reads or writes what is kept in a buffer."""
        self.most_cores = soc.cores
        """For each layer; a user may lower it before asking."""
        self._known: dict[object, Choice | Shortage] = {}

    @property
    def alone(self) -> bool:
        """Whether each layer runs on one core."""
        return self.most_cores == 1 or all(deal.cores == 1 for deal in self._deals)

    def choose(self, layer: Lowered, homes: Homes, beside: Beside | None = None) -> Choice | Shortage:
        """The best dataflow and tiling of a layer whose operands lie in ``homes``, between neighbours if given."""
        operands = layer.operands
        most_cores = 1 if "inputs_buffer" in (homes.inputs, *homes.addends, homes.outputs) else self.most_cores
        signature = (
            most_cores,
            layer.nest,
            tuple(_form(view) for view in (operands.x, operands.o, operands.w)),
            len(operands.residuals),
            layer.flows,
            homes,
            # Zeros differ from layer to layer.
            layer.name if layer.zeros else "",
            layer.by_rows,
            beside,
        )
        if signature not in self._known:
            self._known[signature] = choose(
                layer.nest,
                operands,
                self._soc,
                self._rates,
                layer.flows,
                homes,
                [deal for deal in self._deals if deal.cores <= most_cores],
                layer.zeros,
                replace(self._options, by_rows=layer.by_rows),
                beside,
            )
        return self._known[signature]


def _deals(cores: int, wish: Wish) -> list[Deal]:
    """Ways to deal out a layer: to all cores as wished; by default also to one, and to powers of two between.

    Stages of a pipeline have one core each.
    """
    orders: tuple[Order, ...] = ("m", "n")
    if wish == "pipeline":
        return [Deal(outer, "channels", 1) for outer in orders]
    if cores == 1 or wish != "auto":
        split: Split = "channels" if wish == "auto" else wish
        return [Deal(outer, split, cores) for outer in orders]
    splits: tuple[Split, ...] = ("channels", "rows")
    counts = sorted({cores, *(1 << bit for bit in range(1, cores.bit_length()) if 1 << bit < cores)})
    one = [Deal(outer, "channels", 1) for outer in orders]
    return one + [Deal(outer, split, count) for count in counts for split in splits for outer in orders]


def _form(view: View | None) -> object:
    """What of a view the choice of tiles depends on."""
    return view and (view.shape, view.strides)
