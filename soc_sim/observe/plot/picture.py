"""A figure of matplotlib: how it looks, how it is shown and how it is saved. Nothing global is touched."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from soc_sim.errors import InputError, MissingExtraError, suggestion
from soc_sim.observe.figures.palette import BACKGROUND, PALETTE, subject
from soc_sim.observe.replacing import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NOTEBOOK_DPI: Final = 96
FORMATS: Final = (".png", ".svg", ".pdf")
_LIGHT: Final = {"text": "#1c1f24", "muted": "#5a616b", "line": "#d9d9d5", "grid": "#ececE8"}
_DARK: Final = {"text": "#e4e7ea", "muted": "#9ba4ae", "line": "#3a4048", "grid": "#272b31"}


class Style:
    """Colours for a light or a dark background."""

    def __init__(self, *, dark: bool = False) -> None:
        self._dark = dark
        shades = _DARK if dark else _LIGHT
        self.text, self.muted, self.line, self.grid = (shades[name] for name in ("text", "muted", "line", "grid"))
        self.background = self.of("background")

    def of(self, name: str) -> str:
        """The colour of a cause, a component, or what a slice does."""
        colour = BACKGROUND if name == "background" else PALETTE[subject(name)]
        return colour.dark if self._dark else colour.light

    @property
    def settings(self) -> Any:
        """Of matplotlib, for one figure."""
        return {
            "font.family": ["Inter", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans"],
            "font.size": 9,
            "axes.titlesize": 11,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.titlepad": 12,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.edgecolor": self.line,
            "axes.labelcolor": self.muted,
            "axes.facecolor": self.background,
            "figure.facecolor": self.background,
            "figure.constrained_layout.use": True,
            "grid.color": self.grid,
            "legend.frameon": False,
            "text.color": self.text,
            "xtick.color": self.muted,
            "ytick.color": self.muted,
            "xtick.labelcolor": self.muted,
            "ytick.labelcolor": self.muted,
            "svg.fonttype": "none",
            "svg.hashsalt": "soc_sim",
        }


class Picture:
    """A drawn figure; notebooks show it, :meth:`save` writes it, and ``figure`` is matplotlib's, to go on with."""

    def __init__(self, figure: Figure, style: Style) -> None:
        self.figure = figure
        self._style = style

    @property
    def axes(self) -> Axes:
        """The axes that were drawn into."""
        return self.figure.axes[0]

    def save(self, path: str | Path, dpi: int = 160) -> None:
        """Write a PNG, SVG or PDF, as the suffix of ``path`` says; the same figure gives the same bytes.

        Raises:
            InputError: another suffix, or ``path`` cannot be written.
        """
        target = Path(path)
        with replacing(target, binary=True) as file:
            file.write(self._bytes(check_suffix(target), dpi))

    def _bytes(self, suffix: str, dpi: int) -> bytes:
        buffer = io.BytesIO()
        # Neither the date nor matplotlib's version belongs into a file that should come out the same.
        metadata = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[suffix]
        with _settings(self._style):
            self.figure.savefig(buffer, format=suffix[1:], dpi=dpi, metadata=metadata)
        return buffer.getvalue()

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        # Two pixels of the picture for one of the notebook, so that it is sharp on every screen.
        width, height = (round(inches * _NOTEBOOK_DPI) for inches in self.figure.get_size_inches())
        return self._bytes(".png", 2 * _NOTEBOOK_DPI), {"width": width, "height": height}


def check_installed() -> None:
    """Refuse a plot that cannot be made before a long simulation, not after it.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: F401 # only asked whether it is there
    except ImportError:
        raise MissingExtraError("plots need the extra plot: pip install 'soc_sim[plot]'") from None


def check_suffix(path: Path) -> str:
    """The suffix, in lower case.

    Raises:
        InputError: nothing is written in that format.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"{path}: '{path.suffix}' is no format of plots; allowed: {', '.join(FORMATS)}{suggestion(suffix, FORMATS)}"
        )
    return suffix


def draw(
    paint: Callable[[Axes, Style], None], *, width: float = 10.0, height: float = 4.0, dark: bool = False
) -> Picture:
    """A picture of ``width`` × ``height`` inches, drawn by ``paint``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    style = Style(dark=dark)
    with _settings(style):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, height))
        paint(figure.subplots(), style)
    return Picture(figure, style)


@contextmanager
def _settings(style: Style) -> Iterator[None]:
    check_installed()
    import matplotlib as mpl
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    settings = style.settings
    settings["font.family"] = [name for name in settings["font.family"] if name in installed]
    with mpl.rc_context(settings):
        yield
