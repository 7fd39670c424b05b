"""Text of bounded length."""


def cut(text: str, limit: int) -> str:
    """The text, cut with an ellipsis after so many characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
