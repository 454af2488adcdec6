from pathlib import Path

from appliance.floor import Floor

MIB = 1024 * 1024


def _floor(folder: Path, *, free_disk: int = 0, limit: int = 0, stored: int = 0) -> Floor:
    floor = Floor(folder, free_disk=lambda: free_disk, limit=lambda: limit, stored=lambda: (stored, 0))
    floor.look()
    return floor


def _code(floor: Floor) -> str:
    return floor.trouble.code if floor.trouble else ""


def test_there_is_room_while_nothing_is_short(tmp_path: Path) -> None:
    """Without a limit any size will do."""
    assert _code(_floor(tmp_path, stored=10**15)) == ""
    assert _code(_floor(tmp_path, limit=MIB, stored=MIB - 1)) == ""


def test_below_the_floor_nothing_is_taken_in(tmp_path: Path) -> None:
    """The words name what is free."""
    floor = _floor(tmp_path, free_disk=2**62)
    assert _code(floor) == "disk_low"
    assert "free" in str(floor.trouble)


def test_at_the_size_limit_nothing_is_taken_in(tmp_path: Path) -> None:
    """The limit itself is already full."""
    assert _code(_floor(tmp_path, limit=MIB, stored=MIB)) == "store_full"


def test_near_the_limit_the_oldest_should_make_room(tmp_path: Path) -> None:
    """A twentieth before it, and never without a limit."""
    assert not _floor(tmp_path, limit=100 * MIB, stored=95 * MIB - 1).nearly_full
    assert _floor(tmp_path, limit=100 * MIB, stored=95 * MIB).nearly_full
    assert not _floor(tmp_path, limit=0, stored=10**15).nearly_full


def test_it_recovers_by_itself(tmp_path: Path) -> None:
    """With the next look after there is room again."""
    stored = MIB
    floor = Floor(tmp_path, free_disk=lambda: 0, limit=lambda: MIB, stored=lambda: (stored, 0))
    floor.look()
    assert _code(floor) == "store_full"
    stored = 0
    floor.look()
    assert _code(floor) == ""
