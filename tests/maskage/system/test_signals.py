import signal

import pytest

from maskage.system.signals import POLITE, ending_politely, undisturbed

SIGNALS = [*POLITE, signal.SIGINT]


def test_a_signal_waits_until_the_block_is_over() -> None:
    steps = []

    def set_up() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGTERM)
            steps.append("whole")
        steps.append("never")

    with pytest.raises(SystemExit, match="143"), ending_politely():
        set_up()
    assert steps == ["whole"]


def test_ctrl_c_waits_too_and_the_former_handlers_come_back() -> None:
    def set_up() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)

    former = [signal.getsignal(number) for number in SIGNALS]
    with pytest.raises(KeyboardInterrupt):
        set_up()
    assert [signal.getsignal(number) for number in SIGNALS] == former
