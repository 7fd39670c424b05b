"""How a command ends."""

from typing import Final

FINE: Final = 0
FINDINGS: Final = 1
"""The input can be read, and there is something to say against it."""
BAD_INPUT: Final = 2
"""Nothing could be done: no file, no YAML, no HighAvailabilityApp, one that the operator would refuse, no cluster, no
permission."""


class BadInput(Exception):
    """What the user gave cannot be worked with; each of `sentences` is one line for the terminal."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences
