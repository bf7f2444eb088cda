"""The system's clock."""

import time
from pathlib import Path

from ringback.net.clock import SystemClock, boot_id, elapsed


def test_now_is_in_unix_seconds() -> None:
    before = time.time()
    now = SystemClock().now()

    assert before <= now <= time.time()


def test_elapsed_never_goes_back() -> None:
    first = elapsed()

    assert first <= elapsed()


async def test_sleep_takes_the_time_it_was_given() -> None:
    before = elapsed()
    await SystemClock().sleep(0.001)

    assert elapsed() - before >= 0.001


def test_the_clock_that_nobody_sets_goes_on() -> None:
    clock = SystemClock()
    first = clock.elapsed()

    assert first <= clock.elapsed()
    assert first >= elapsed() - 1.0  # it counts the sleep of the machine as well


def test_a_run_of_the_machine_has_one_name() -> None:
    assert boot_id() == boot_id()
    assert boot_id().isprintable()


def test_a_clock_of_its_own_has_another_name(tmp_path: Path) -> None:
    boot, one, other = tmp_path / "boot_id", tmp_path / "one", tmp_path / "other"
    boot.write_text("7aacb011-b2e5\n")
    one.symlink_to("time:[1]")
    other.symlink_to("time:[2]")

    assert "7aacb011-b2e5 time:[1]" == boot_id(boot, one)
    assert "7aacb011-b2e5 time:[2]" == boot_id(boot, other)
    assert "7aacb011-b2e5" == boot_id(boot, tmp_path / "nowhere")


def test_a_run_without_a_name_has_a_new_one_each_time(tmp_path: Path) -> None:
    nowhere, garbled, empty = tmp_path / "nowhere", tmp_path / "garbled", tmp_path / "empty"
    garbled.write_bytes(b"\xff")
    empty.touch()
    names = [boot_id(path, nowhere) for path in (nowhere, nowhere, garbled, empty)]

    assert 4 == len(set(names))
    assert all(names)
