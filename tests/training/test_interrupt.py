"""Ctrl-C is heard at the places that listen, and never lost."""

from __future__ import annotations

import signal
import threading

import pytest
from ctrl_c import press, usual  # noqa: F401 - a fixture for every test

from holdfast.training.interrupt import held_back


def test_it_waits_for_a_place_that_listens():
    reached = []
    with pytest.raises(KeyboardInterrupt), held_back() as ctrl_c:
        press()
        reached.append("the work at hand is done")
        with ctrl_c.listening():
            reached.append("never")
    assert reached == ["the work at hand is done"]


def test_where_something_listens_it_is_heard_at_once():
    with pytest.raises(KeyboardInterrupt), held_back() as ctrl_c, ctrl_c.listening():
        press()
        pytest.fail("it went on")


def test_a_second_one_does_not_wait():
    with pytest.raises(KeyboardInterrupt), held_back():
        press()
        press()
        pytest.fail("it went on")


def test_it_is_not_forgotten_where_nothing_listens_any_more():
    with pytest.raises(KeyboardInterrupt), held_back():
        press()


def test_a_handler_of_ones_own_stays():
    heard = []
    mine = signal.signal(signal.SIGINT, lambda *_: heard.append("mine"))
    with held_back():
        press()
    assert heard == ["mine"]
    signal.signal(signal.SIGINT, mine)


def test_in_another_thread_nothing_is_touched():
    done = []

    def work():
        with held_back():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.default_int_handler]
