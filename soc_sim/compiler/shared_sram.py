"""What lies in the shared SRAM of the system: activations, and weights of single layers where these may.

Activations lie there where they fit during their life and the estimate gets no worse; those that most layers use come
first. Where weights may lie there, too, what saves most for a byte comes first.
"""

from __future__ import annotations

from soc_sim.compiler.memory_plan import Space, align
from soc_sim.compiler.terms import Terms
from soc_sim.config.soc import PAGE_BYTES


class SharedSram:
    """Moves there what fits and pays by estimate."""

    def __init__(self, terms: Terms, ends: tuple[tuple[str, ...], ...], requests: int, *, weights: bool) -> None:
        """``ends``: inputs and outputs of the network; ``requests``: how many share the room; ``weights``: may move."""
        self.terms, self.requests, self.sram_weights = terms, requests, weights
        self.inputs, self.outputs = ends

    def settle(self) -> None:
        """Decide, in that order; nothing where there is no such memory."""
        terms = self.terms
        if terms.soc.system_sram is None:
            return
        space, room = Space(), terms.soc.room_bytes("system_sram")
        if self.requests > 1:
            room = room // self.requests // PAGE_BYTES * PAGE_BYTES
        uses = terms.found.uses
        roots = sorted(terms.storages, key=lambda root: (-len(uses[root].layers), terms.storages[root], root))
        order: list[str | int] = [*roots]
        if self.sram_weights:
            terms.found.weight_reasons = dict.fromkeys(terms.found.resident, "all of the core fit there")
            packed = (index for index in range(len(terms.works)) if terms.packs(index))
            order = self._by_benefit([*order, *(index for index in packed if index not in terms.found.resident)])
        end = 0
        for one in order:
            taken = sum(terms.found.sram_weights.values())
            if isinstance(one, int):
                self._try_weights(one, room - taken - align(end))
                continue
            size, life = terms.storages[one], uses[one].life
            if one in self.inputs or one in self.outputs:
                terms.found.reasons[one] = "an input or output of the network"
            elif space.lowest(size, life) + size > room - taken:
                terms.found.reasons[one] = f"no room for its {size} bytes in system_sram"
            elif terms.try_move(one, "system_sram", uses[one].layers):
                end = max(end, space.put(one, size, life) + size)
        if space:
            terms.found.plans["system_sram"] = space.plan(sum(terms.found.sram_weights.values()))

    def _by_benefit(self, candidates: list[str | int]) -> list[str | int]:
        """Storages, and layers whose weights may move, by what a byte of shared SRAM saves, each alone."""
        terms = self.terms

        def saved(one: str | int) -> float:
            if isinstance(one, int):
                terms.found.sram_weights[one] = size = terms.weights_size(one, terms.found.choices[one])
                changed = terms.changed((one,), within=False)
                del terms.found.sram_weights[one]
            elif one in self.inputs or one in self.outputs:
                return 0.0
            else:
                size, home = terms.storages[one], terms.found.memories[one]
                terms.found.memories[one] = "system_sram"
                changed = terms.changed(terms.found.uses[one].layers)
                terms.found.memories[one] = home
            if changed is None:
                return 0.0
            before = sum(terms.value(index, terms.found.choices[index]) for index in changed)
            return (before - sum(terms.value(index, choice) for index, (_, choice) in changed.items())) / max(size, 1)

        return sorted(candidates, key=saved, reverse=True)

    def _try_weights(self, index: int, room_bytes: int) -> None:
        """Move the weights of a layer to shared SRAM if they fit and the layer takes no longer, by estimate."""
        terms = self.terms
        terms.found.sram_weights[index] = 0
        changed = terms.changed((index,), within=False)
        why, moves = "leaves no room for tiles", False
        if changed is not None:
            why, moves = terms.judge(changed, even=True, frugal=False)
        size = 0 if changed is None else terms.weights_size(index, changed[index][1])
        if moves and size > room_bytes:
            why, moves = f"no room for its {size} bytes in system_sram", False
        if changed is not None and moves:
            terms.found.sram_weights[index] = size
            terms.accept(changed)
        else:
            del terms.found.sram_weights[index]
        terms.found.weight_reasons[index] = why if moves or why.startswith("no room") else f"system_sram: {why}"
