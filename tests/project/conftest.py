"""How most tests of a project train: in this process, where a training takes a moment."""

from __future__ import annotations

import pytest

from holdfast.engine.inline import InlineEngine
from holdfast.project import fitting


@pytest.fixture
def in_this_process(monkeypatch):
    """Roles, names and answers do not depend on where work runs; the other tests use worker processes."""
    monkeypatch.setattr(fitting, "_engine", lambda request: InlineEngine())
