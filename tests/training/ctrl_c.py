"""Pressing Ctrl-C in a test. A module that imports `usual` runs all its tests under the usual handler."""

from __future__ import annotations

import os
import signal
import threading

import pytest


@pytest.fixture(autouse=True)
def usual():
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("only the main thread hears signals")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def press():
    os.kill(os.getpid(), signal.SIGINT)
