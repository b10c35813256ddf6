"""A file appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from soc_sim.errors import InputError
from soc_sim.observe.replacing import replacing


class BrokenError(Exception):
    """What goes wrong half-way."""


def write_half(path: Path) -> None:
    with replacing(path) as file:
        file.write("half")
        raise BrokenError


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "f.txt"
    with replacing(path) as file:
        file.write("µ\n")
        assert not path.exists()
    assert path.read_bytes() == "µ\n".encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["f.txt"]


@pytest.mark.parametrize("before", [None, "old"])
def test_an_exception_leaves_everything_as_it_was(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "f.txt"
    if before is not None:
        path.write_text(before)
    with pytest.raises(BrokenError):
        write_half(path)
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ([] if before is None else [before])


def test_a_link_keeps_pointing_at_the_file_that_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with replacing(tmp_path / "link") as file:
        file.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.parametrize("path", [Path("/dev/null"), Path("/")])
def test_devices_and_folders_are_not_replaced(path: Path) -> None:
    with pytest.raises(InputError, match=f"^{path}: is there already and is not a file; name a file$"), replacing(path):
        pass
    assert not path.is_file()


def test_a_file_in_the_place_of_the_folder_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/f\.txt: cannot be written: "), replacing(tmp_path / "file" / "f.txt"):
        pass
