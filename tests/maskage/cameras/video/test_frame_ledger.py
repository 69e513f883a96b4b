"""Numbers, times and losses, with literal packets."""

from fractions import Fraction

import pytest

from maskage.cameras.video.frame_ledger import FrameLedger

TENTH = Fraction(1, 10)


def make_ledger(*, in_order: bool = False) -> FrameLedger:
    return FrameLedger(TENTH, 0.1, in_order=in_order)


def test_frames_are_numbered_in_the_order_of_showing() -> None:
    ledger = make_ledger()
    for stamp in (5, 8, 6, 7):
        ledger.expect(stamp, 100)
    placed = [ledger.place(stamp) for stamp in (5, 6, 7, 8)]
    assert [number for number, _ in placed] == [0, 1, 2, 3]
    assert [position for _, position in placed] == pytest.approx([0, 0.1, 0.2, 0.3])
    ledger.finish()
    assert ledger.lost == []


def test_frames_that_do_not_come_out_after_a_fault_are_lost() -> None:
    ledger = make_ledger()
    for stamp in range(6):
        ledger.expect(stamp, 100)
        if stamp in (2, 3):
            ledger.fail(stamp)
    assert [ledger.place(stamp)[0] for stamp in (0, 1, 4, 5)] == [0, 1, 4, 5]
    assert ledger.lost == [(2, 3)]
    assert ledger.lost_count == 2


def test_a_frame_that_was_counted_as_lost_is_known_when_it_comes_late() -> None:
    ledger = make_ledger()
    for stamp in range(4):
        ledger.expect(stamp, 100)
    ledger.place(0)
    ledger.suspect()
    ledger.place(3)
    assert ledger.lost == [(1, 2)]
    assert [ledger.is_late(stamp) for stamp in (2, 3, 4, None)] == [True, False, False, False]


def test_packets_that_show_nothing_are_no_loss() -> None:
    ledger = make_ledger()
    for stamp in range(4):
        ledger.expect(stamp, 100)
    assert [ledger.place(stamp)[0] for stamp in (0, 2, 3)] == [0, 1, 2]
    assert ledger.lost == []


def test_what_is_still_expected_at_a_faulty_end_is_lost() -> None:
    ledger = make_ledger()
    for stamp in range(4):
        ledger.expect(stamp, 100)
    ledger.place(0)
    ledger.suspect()
    ledger.finish()
    assert ledger.lost == [(1, 3)]


@pytest.mark.parametrize(("hole", "lost"), [(400, [(1, 4)]), (30, [])])
def test_a_gap_in_time_is_a_loss_only_where_its_bytes_are_unreadable(
    hole: int, lost: list[tuple[int, int]]
) -> None:
    ledger = make_ledger()
    ledger.expect(0, 100)
    ledger.place(0)
    ledger.expect(5, 100, hole)
    number, position_s = ledger.place(5)
    assert ledger.lost == lost
    assert number == (5 if lost else 1)
    assert position_s == pytest.approx(0.5)


def test_stamps_of_decoding_are_sorted_and_a_failed_one_is_passed_over() -> None:
    ledger = make_ledger(in_order=True)
    for stamp in range(4):
        ledger.expect(stamp, 100)
    ledger.fail(1)
    assert [ledger.place(9)[0] for _ in range(3)] == [0, 2, 3]
    assert ledger.lost == [(1, 1)]


def test_without_stamps_frames_are_counted() -> None:
    ledger = make_ledger()
    for _ in range(3):
        ledger.expect(None, 100)
    assert ledger.place(None) == (0, 0)
    ledger.fail(None)
    number, position_s = ledger.place(None)
    assert number == 2
    assert position_s == pytest.approx(0.2)


def test_a_fault_that_is_told_at_the_very_end_is_of_a_packet_that_is_counted_already() -> None:
    ledger = make_ledger()
    for stamp in range(3):
        ledger.expect(stamp, 100)
    ledger.place(0)
    ledger.fail(None)
    ledger.place(2)
    ledger.finish()
    assert ledger.lost == [(1, 1)]


def test_a_clock_that_is_set_anew_goes_on_and_loses_nothing() -> None:
    ledger = make_ledger()
    for stamp in range(100, 120):
        ledger.expect(stamp, 100)
        ledger.place(stamp)
    positions = []
    for stamp in range(40):
        ledger.expect(stamp, 100)
        positions.append(ledger.place(stamp)[1])
    assert positions == sorted(positions)
    assert len(set(positions)) == 40
    assert positions[-1] == pytest.approx(4.9, abs=1.2)
    assert ledger.lost == []
