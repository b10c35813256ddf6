"""Sliding windows (convolutions and pools): explicit numbers for kernel, strides, pads and dilations; 1-D as 2-D.

``pads`` follow ONNX: all begins, then all ends (h_begin, w_begin, h_end, w_end). ``auto_pad`` is resolved by the rule
of the operator's specification (https://onnx.ai/onnx/operators/onnx__Conv.html): SAME gives ceil(input / stride)
results, the odd pad at the end for SAME_UPPER and at the beginning for SAME_LOWER; VALID pads nothing. Three axes
work alike, but run on the host.
"""

from __future__ import annotations

from typing import NamedTuple

from soc_sim.network.base import AttributeValue

Numbers = tuple[int, ...]
Attributes = dict[str, AttributeValue]

CONVOLUTIONS = ("Conv", "ConvTranspose")
POOLS = ("MaxPool", "AveragePool", "LpPool")
GLOBAL_POOLS = ("GlobalMaxPool", "GlobalAveragePool")
WINDOWED = (*CONVOLUTIONS, *POOLS, *GLOBAL_POOLS)


class Window(NamedTuple):
    """One number per spatial axis; ``pads`` two."""

    kernel: Numbers
    strides: Numbers
    dilations: Numbers
    pads: Numbers

    def lifted(self) -> Window:
        """The same window in 2-D, one line high."""
        begin, end = self.pads
        return Window((1, *self.kernel), (1, *self.strides), (1, *self.dilations), (0, begin, 0, end))

    def attributes(self) -> Attributes:
        """As ONNX attributes."""
        return {
            "kernel_shape": self.kernel,
            "strides": self.strides,
            "dilations": self.dilations,
            "pads": self.pads,
            "auto_pad": "NOTSET",
        }


def resolve(op_type: str, found: Attributes, kernel: Numbers, before: Numbers, after: Numbers) -> Window:
    """The window of a convolution or pool.

    Args:
        op_type: the operator's type.
        found: its attributes.
        kernel: extent of the window along each spatial axis.
        before: spatial dimensions of the input.
        after: spatial dimensions of the output.

    Raises:
        ValueError: an attribute has the wrong number of entries or one that is not allowed.
    """
    rank = len(kernel)
    if rank != len(before):
        raise ValueError(f"kernel_shape {kernel}; allowed: {len(before)} numbers")
    strides = _numbers(found, "strides", (1,) * rank, least=1)
    dilations = _numbers(found, "dilations", (1,) * rank, least=1)
    pads = _numbers(found, "pads", (0,) * 2 * rank, least=0)
    mode = found.get("auto_pad", "NOTSET")
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    if mode == "VALID":
        pads = (0,) * 2 * rank
    elif op_type == "ConvTranspose" and (mode != "NOTSET" or "output_shape" in found):
        extra = _numbers(found, "output_padding", (0,) * rank, least=0)
        totals = [s * (i - 1) + p + e - o for s, i, p, e, o in zip(strides, before, extra, extents, after, strict=True)]
        # Here the specification mirrors the rule: the odd pad is at the end for SAME_UPPER alone.
        pads = _halves(totals, odd_at_end=mode == "SAME_UPPER")
    elif mode in ("SAME_UPPER", "SAME_LOWER"):
        totals = [(o - 1) * s + e - i for o, s, e, i in zip(after, strides, extents, before, strict=True)]
        pads = _halves(totals, odd_at_end=mode == "SAME_UPPER")
    elif mode != "NOTSET":
        raise ValueError(f"auto_pad {mode}; allowed: NOTSET, SAME_UPPER, SAME_LOWER, VALID")
    return Window(kernel, strides, dilations, pads)


def _halves(totals: list[int], odd_at_end: bool) -> Numbers:
    totals = [max(total, 0) for total in totals]
    small, large = [total // 2 for total in totals], [total - total // 2 for total in totals]
    return (*small, *large) if odd_at_end else (*large, *small)


def _numbers(found: Attributes, name: str, default: Numbers, least: int) -> Numbers:
    value = found.get(name, default)
    if not isinstance(value, tuple) or len(value) != len(default) or any(number < least for number in value):
        raise ValueError(f"{name} {value}; allowed: {len(default)} numbers of {least} or more")
    return tuple(int(number) for number in value)


def check_convolution(found: Attributes, data: Numbers, weights: Numbers, bias: Numbers | None) -> None:
    """Channels, groups and kernel of a Conv agree (weights: out channels, in channels per group, kernel).

    Raises:
        ValueError: they do not; the message gives both sides.
    """
    group = found.get("group", 1)
    if not isinstance(group, int) or group < 1:
        raise ValueError(f"group {group}; allowed: 1 or more")
    channels = weights[1] * group
    if data[1] != channels:
        raise ValueError(f"input has {data[1]} channels; allowed: {channels} ({weights[1]} per group × {group} groups)")
    if weights[0] % group:
        raise ValueError(f"{weights[0]} output channels in {group} groups; allowed: a multiple of {group}")
    _check_kernel_and_bias(found, weights[2:], weights[0], bias)


def check_transposed(found: Attributes, data: Numbers, weights: Numbers, bias: Numbers | None) -> None:
    """The same for a ConvTranspose (weights: in channels, out channels per group, kernel).

    Raises:
        ValueError: they do not agree.
    """
    group = found.get("group", 1)
    if not isinstance(group, int) or group < 1 or weights[0] % group:
        raise ValueError(f"group {group}; allowed: a divisor of {weights[0]} input channels")
    if data[1] != weights[0]:
        raise ValueError(f"input has {data[1]} channels; allowed: {weights[0]}")
    _check_kernel_and_bias(found, weights[2:], weights[1] * group, bias)


def _check_kernel_and_bias(found: Attributes, kernel: Numbers, outputs: int, bias: Numbers | None) -> None:
    if found.get("kernel_shape", kernel) != kernel:
        raise ValueError(f"kernel_shape {found['kernel_shape']}; allowed: {kernel}, as in the weights")
    if bias is not None and bias != (outputs,):
        raise ValueError(f"bias of shape {bias}; allowed: {outputs} numbers, one per output channel")
