"""What a container said before it failed, kept by the kubelet for the status."""

from typing import Final

from haapp.api.objects import Object

LAST_WORDS: Final[Object] = {"terminationMessagePolicy": "FallbackToLogsOnError"}
"""By default the kubelet keeps only what a container wrote to /dev/termination-log, which hardly any does; so it keeps
the end of the log of one that fails. What the container states itself wins."""
