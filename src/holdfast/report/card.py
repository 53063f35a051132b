"""A model card in the form that Hugging Face reads: a YAML head, then Markdown, all of it facts."""

from __future__ import annotations

import re
from pathlib import PurePath

from holdfast.core.card import CardFacts
from holdfast.core.release import Standing
from holdfast.report.card_head import head
from holdfast.report.markdown import environment, front_matter

_STANDS = {
    Standing.PROPOSED: "was put forward and waits for review",
    Standing.CHAMPION: "is the champion",
    Standing.FORMER: "was the champion until another took its place",
    Standing.REJECTED: "was rejected by its reviewer",
    Standing.ROLLED_BACK: "was the champion and was rolled back",
}


def card(facts: CardFacts) -> str:
    """The model card: what the model is, what it may be used for, how good it is and where it is not.

    A part of which nothing is known says so in one line. Whatever comes from outside is text
    and nothing else. Only the name of the data's file is shown, not where it lies.
    """
    from markupsafe import Markup

    text = (
        environment()
        .get_template("card.md.j2")
        .render(
            facts=facts,
            head=Markup(front_matter(head(facts))),
            source=PurePath(facts.data.source).name or "a table",
            stands="" if facts.stage is None else _STANDS[facts.stage.standing],
        )
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
