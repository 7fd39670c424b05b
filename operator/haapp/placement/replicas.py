"""Numbers that may be percentages of the pods."""


def scaled(value: int | str, total: int, *, up: bool) -> int:
    """A number as it is, or a percentage of `total`, rounded up or down."""
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * total
    return -(-share // 100) if up else share // 100
