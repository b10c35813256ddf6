"""Parts by reference: where a part is described, a text names the file that holds it.

A reference is a path relative to the file that says it, ``package://NAME/inner/path`` inside an installed Python
package, or the bare name of a shipped file (``soc: edge_16x16``), looked for in the folders of the kinds allowed there.
Only parts with a ``kind`` can lie in a file of their own, because a file says by its kind what it is. Texts that name
another file (an ONNX model) become absolute, so that the resolved description means the same from everywhere.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from soc_sim.config import shipped
from soc_sim.config.kinds import KINDS
from soc_sim.config.marks import Fault, Mark, Node, display
from soc_sim.config.places import Place
from soc_sim.config.yaml_reader import read
from soc_sim.errors import ConfigurationError, suggestion

PACKAGE: Final = "package://"
_YAML: Final = (".yaml", ".yml")


def package_file(text: str) -> Path:
    """The file that ``package://NAME/inner/path`` names; the package is found, not imported.

    Raises:
        ConfigurationError: no such package is installed, or the text names none.
    """
    name, _, inner = text.removeprefix(PACKAGE).partition("/")
    if not name.isidentifier() or not inner:
        raise ConfigurationError(f"'{text}' names no file of a package; write it as package://NAME/inner/path")
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            f"the package '{name}' is not installed; allowed: an installed package, 'pip install soc_sim[examples]'"
            " brings those of the shipped descriptions"
        )
    return Path(spec.submodule_search_locations[0], inner)


def resolve(node: Node, place: Place, base: Path, chain: tuple[Path, ...] = ()) -> Node:
    """The node with every reference replaced by what it refers to; unresolvable ones become broken nodes.

    Args:
        node: What is written.
        place: What may stand there.
        base: Folder that relative paths start from.
        chain: Files on the way here, to notice circles.
    """
    if isinstance(node.value, str):
        return _text(node, node.value, place, base, chain)
    inner = place.narrowed(_kind(node)) if isinstance(node.value, dict) else place
    for key, child in list(node.children()):
        part = inner.child(key)
        if part:
            node.replace_child(key, resolve(child, part, base, chain))
    return node


def open_file(path: Path, source: str, place: Place, mark: Mark, chain: tuple[Path, ...] = ()) -> Node:
    """The resolved nodes of one file, which must hold one of the kinds allowed at ``place``.

    Args:
        path: The file.
        source: How messages name it.
        place: What may stand where the file is named.
        mark: Where the file is named.
        chain: Files on the way here.
    """
    real = path.resolve()
    if real in chain:
        circle = " → ".join(display(file) for file in (*chain[chain.index(real) :], real))
        return Node.unreadable(mark, f"files refer to each other in a circle: {circle}")
    node = read(path, source)
    if node.broken:
        return node
    kind = _kind(node)
    fault = _kind_fault(node, kind, place, source, mark)
    if fault:
        return Node(None, fault.mark, faults=[fault], broken=True)
    return resolve(node, place.narrowed(kind or "run"), path.parent, (*chain, real))


def find(text: str, place: Place, base: Path) -> tuple[Path, str] | str:
    """The file a reference names and how messages call it, or what is wrong with the reference."""
    if is_bare(text):
        known = shipped.paths(place.kinds)
        if text in known:
            return known[text], display(known[text])
        return f"'{text}' is not known; allowed: {', '.join((*known, 'the path of a file'))}{suggestion(text, known)}"
    try:
        path = package_file(text) if text.startswith(PACKAGE) else base / text
    except ConfigurationError as error:
        return str(error)
    fault = file_fault(path, text)
    return fault or (path, text if text.startswith(PACKAGE) else os.path.normpath(path))


def file_fault(path: Path, text: str) -> str | None:
    """What is wrong with a path, named ``text``, that should lead to a file."""
    try:
        if path.is_dir():
            return f"'{text}' is a directory; allowed: a file"
        if path.exists():
            return None
        names = [file.name for file in path.parent.iterdir() if file.exists()] if path.parent.is_dir() else []
    except OSError as error:
        return f"'{text}' cannot be read: {error.strerror}"
    return f"no such file: '{text}'{suggestion(path.name, sorted(names))}"


def is_bare(text: str) -> bool:
    """Whether a text is a name rather than a path."""
    return not ("/" in text or text.endswith((*_YAML, ".onnx", ".npz", ".csv")))


def _text(node: Node, text: str, place: Place, base: Path, chain: tuple[Path, ...]) -> Node:
    if place.kinds and (not place.takes_text or text.endswith(_YAML) or text in shipped.paths(place.kinds)):
        found = find(text, place, base)
        return _broken(node, found) if isinstance(found, str) else open_file(*found, place, node.mark, chain)
    if place.file_suffixes and ("/" in text or text.endswith(place.file_suffixes)):
        found = find(text, place, base)
        if isinstance(found, str):
            return _broken(node, found)
        node.value = text if text.startswith(PACKAGE) else str(found[0].absolute())
    return node


def _broken(node: Node, text: str) -> Node:
    return Node(None, node.mark, node.key_mark, [Fault(node.mark, (), text)], broken=True)


def _kind(node: Node) -> str | None:
    kind = node.get("kind")
    return None if kind is None else str(kind.value)


def _kind_fault(node: Node, kind: str | None, place: Place, source: str, mark: Mark) -> Fault | None:
    if kind in place.kinds or (kind is None and "run" in place.kinds):
        return None
    allowed = f"allowed: {', '.join(place.kinds)}"
    if kind is None:
        return Fault(mark if mark.source else node.mark, (), f"'{source}' has no kind and counts as a run; {allowed}")
    written = node.get("kind")
    inside = written.mark if written else node.mark
    if kind in KINDS:
        return Fault(mark if mark.source else inside, (), f"'{source}' is of kind '{kind}'; {allowed}")
    return Fault(inside, ("kind",), f"'{kind}' is unknown; {allowed}{suggestion(kind, place.kinds)}")
