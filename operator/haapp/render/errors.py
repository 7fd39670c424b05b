"""What can go wrong in rendering."""


class RenderError(Exception):
    """A spec that is valid field by field, yet cannot become objects as a whole.

    The message names the field and says what to write instead; only a change of the spec helps.
    """

    def __init__(self, path: str, advice: str) -> None:
        super().__init__(f"{path}: {advice}")
        self.path = path
        self.advice = advice
