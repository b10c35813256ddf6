"""Renders the page: a template, a style sheet and scripts, all put into one file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import soc_sim
from soc_sim.errors import MissingExtraError
from soc_sim.observe.figures.palette import PALETTE
from soc_sim.observe.replacing import replacing
from soc_sim.observe.report.content import configuration, data_of, facts, stages, tiles
from soc_sim.observe.report.sources import StoredRun

PAGE: Final = Path(__file__).parent / "page"
SCRIPTS: Final = (
    "core", "time", "slices", "canvas", "timeline", "pointer", "layers", "roofline", "energy", "memory",
    "table", "detail",
    "compare", "page",
)  # fmt: skip
"""In this order: they share one scope."""
_ICON: Final = (
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='%232f6db3'%3E"
    "%3Cpath d='M1 1h6v6H1zM9 9h6v6H9z'/%3E%3Cpath opacity='.5' d='M9 1h6v6H9zM1 9h6v6H1z'/%3E%3C/svg%3E"
)


def write_report(path: Path, runs: Sequence[StoredRun]) -> None:
    """Write the page of one or more runs; with several, it compares them with the first.

    Raises:
        InputError: ``path`` cannot be written.
        MissingExtraError: jinja2 is not installed.
    """
    text = render(runs)
    with replacing(path) as file:
        file.write(text)


def check_installed() -> None:
    """Refuse a report that cannot be made before a long simulation, not after it.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    try:
        import jinja2  # noqa: F401 # only asked whether it is there
    except ImportError:
        raise MissingExtraError("reports need the extra report: pip install 'soc_sim[report]'") from None


def render(runs: Sequence[StoredRun]) -> str:
    """The page as text.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    check_installed()
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )

    def own(name: str) -> Markup:
        return Markup((PAGE / name).read_text(encoding="utf-8"))  # noqa: S704 # our own file

    return environment.get_template("page.html.j2").render(
        title=" · ".join(dict.fromkeys(run.document["network"] for run in runs)),
        version=soc_sim.__version__,
        icon=Markup(_ICON),  # noqa: S704 # our own text
        palette=PALETTE,
        style=own("style.css"),
        scripts=[own(f"{name}.js") for name in SCRIPTS],
        data=Markup(_embedded(data_of(runs))),  # noqa: S704 # escaped there
        runs=[_static(run) for run in runs],
    )


def _static(run: StoredRun) -> dict[str, Any]:
    """What the template writes as it is, so that it is there without scripts."""
    document = run.document
    return {
        "label": run.label,
        "network": document["network"],
        "soc": (document["config"].get("soc") or {}).get("name", "an SoC"),
        "facts": facts(document),
        "tiles": tiles(document),
        "stages": stages(document),
        "warnings": document["warnings"],
        "config": configuration(document),
    }


def _embedded(data: dict[str, Any]) -> str:
    """JSON that cannot end the element in which it stands."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
