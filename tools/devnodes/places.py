"""Where the files of a cluster are, and which of them nobody needs any more."""

import os
from pathlib import Path

from devcluster.shell import alive


def home() -> Path:
    """$XDG_STATE_HOME/haapp/nodes, by default ~/.local/state/haapp/nodes."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "haapp" / "nodes"


def folder_of(name: str) -> Path:
    """The folder of a cluster: kubeconfig, logs/, pki/, etcd/, and a folder for each node."""
    return home() / name


def leftovers(prefix: str) -> list[str]:
    """What is named <prefix><process id> and whose process is gone: it was killed before it could tidy up."""
    names = [path.name for path in home().glob(f"{prefix}*")]
    owners = {name: name.removeprefix(prefix) for name in names}
    return [name for name, owner in owners.items() if owner.isdecimal() and not alive(int(owner))]
