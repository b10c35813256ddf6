"""From what a configuration says about a network (a zoo name, a file, a description) to the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from soc_sim.config.marks import Fault, KeyPath, Node
from soc_sim.config.references import PACKAGE, package_file
from soc_sim.config.run import NetworkFile
from soc_sim.errors import NetworkError, suggestion
from soc_sim.network import onnx_import, topology, zoo
from soc_sim.network.base import Network

_TOPOLOGY = ".csv"


def load_network(spec: str | NetworkFile, batch: int = 1) -> Network:
    """The network on ``batch`` inputs at once.

    Args:
        spec: A zoo name, the path of an .onnx file or of a topology of SCALE-Sim (.csv), relative to the working
            directory or ``package://NAME/path``, or a description.
        batch: Multiplies the batch of the file or zoo network.

    Raises:
        NetworkError: nothing has that name, or the file cannot be read or contains what nobody knows.
        ConfigurationError: ``package://`` names a package that is not installed.
    """
    description = NetworkFile(kind="network", model=spec) if isinstance(spec, str) else spec
    model = description.model
    fault = _name_fault(model, shaped=bool(description.input_shapes))
    if fault:
        raise NetworkError(fault)
    if model in zoo.names():
        return zoo.load(model).with_batch(batch)
    path = package_file(model) if model.startswith(PACKAGE) else Path(model)
    if path.suffix == _TOPOLOGY:
        return topology.load(path).with_batch(batch)
    network = onnx_import.load(
        path,
        input_shapes={entry.name: entry.shape for entry in description.input_shapes},
        allow_unknown=description.allow_unknown,
    )
    return network.with_batch(batch)


def network_faults(root: Node) -> Iterator[Fault]:
    """Networks that a description of any kind names and nobody has; files are not opened."""
    for path in _places(root):
        way = root.follow(path)
        name = way[-1].value
        if len(way) > len(path) and isinstance(name, str):
            shapes = way[-2].get("input_shapes")
            text = _name_fault(name, shaped=bool(shapes and shapes.value))
            if text:
                yield Fault(way[-1].mark, path, text)


def _places(root: Node) -> Iterator[KeyPath]:
    """Where a description of its kind names networks."""
    kind = root.get("kind")
    match kind.value if kind else "run":
        case "network":
            yield ("model",)
        case "scenario":
            streams = root.get("streams")
            for position, _ in streams.children() if streams else ():
                yield from (("streams", position, "network"), ("streams", position, "network", "model"))
        case _:
            yield from (("workload", "network"), ("workload", "network", "model"))


def _name_fault(name: str, *, shaped: bool) -> str | None:
    if name in zoo.names():
        return "networks of the zoo take no input_shapes" if shaped else None
    if name.endswith(_TOPOLOGY) and shaped:
        return "a topology takes no input_shapes"
    if name.startswith(PACKAGE) or "/" in name or name.endswith((".onnx", _TOPOLOGY)):
        return None
    allowed = ", ".join((*zoo.names(), "the path of an .onnx or .csv file"))
    return f"'{name}' is not a network of the zoo; allowed: {allowed}{suggestion(name, zoo.names())}"
