"""How weights with zeros are stored: one file per format, ``base`` says what each answers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from soc_sim.sparsity.formats.base import Encoded, Format, FormatSize
from soc_sim.sparsity.formats.csb import Csb
from soc_sim.sparsity.formats.csr import Csr
from soc_sim.sparsity.formats.dense import Dense
from soc_sim.sparsity.formats.two_stage_bitmap import TwoStageBitmap

__all__ = ["FORMATS", "Encoded", "Format", "FormatSize"]

_ALL: tuple[Format, ...] = (Dense(), TwoStageBitmap(), Csb(), Csr())
FORMATS: Mapping[str, Format] = MappingProxyType({weight_format.name: weight_format for weight_format in _ALL})
"""Every format by its name."""
