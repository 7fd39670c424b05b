"""The log shipper: a native sidecar that is up before all else, its volumes and its configuration."""

import posixpath

from haapp.api import names
from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.spec import LogSidecar, Spec
from haapp.render.errors import RenderError
from haapp.render.last_words import LAST_WORDS
from haapp.render.merge import merge_env
from haapp.render.security import harden
from haapp.render.shippers.config import shipper_config
from haapp.render.shippers.kinds import KINDS, STATE_FOLDER
from haapp.render.templating import fill

STATE_VOLUME = f"{names.VOLUME_PREFIX}log-state"
POD_FIELDS = {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace"}
"""What every record is marked with, for a line without its pod is of little use."""


def log_shippers(app: App) -> list[Object]:
    """The shipper's container, if there is one."""
    logs = app.spec.log_sidecar
    if logs is None:
        return []
    kind, file = KINDS[logs.shipper], _main_file(logs)
    container = fill(
        "log-shipper-container.yaml.j2",
        name=names.SHIPPER_CONTAINER,
        image=logs.image or kind.images_by_output.get(_output_kind(logs), kind.image),
        args=[text.format(file=file) for text in kind.args],
        env=merge_env(_env(kind.env, file), logs.env),
        resources=logs.resources if logs.resources is not None else _resources(kind.memory),
        security_context=_security_context(logs, app.spec),
        logs=_shared_mount(app.spec, logs),
        config={"volume": names.config_volume_name(names.SHIPPER_CONTAINER), "folder": kind.config_folder},
        state={"volume": STATE_VOLUME, "folder": STATE_FOLDER},
    )
    return [harden({**LAST_WORDS, **container}, app.spec.security)]


def log_mounts(spec: Spec) -> list[Object]:
    """The log folder in the main container, unless a volume of its own is there already."""
    logs = spec.log_sidecar
    if logs is None or _own_mount(spec, logs) is not None:
        return []
    return [{"name": names.LOG_VOLUME, "mountPath": logs.directory}]


def log_volumes(app: App) -> list[Object]:
    """The volumes of logs, configuration and state."""
    logs = app.spec.log_sidecar
    if logs is None:
        return []
    shared = [{"name": names.LOG_VOLUME, "emptyDir": {"sizeLimit": logs.size_limit}}] if log_mounts(app.spec) else []
    own_map = logs.config.config_map_name if logs.config is not None else None
    config = {"name": own_map or names.shipper_config_name(app.name)}
    return [
        *shared,
        {"name": names.config_volume_name(names.SHIPPER_CONTAINER), "configMap": config},
        {"name": STATE_VOLUME, "emptyDir": {"sizeLimit": "128Mi"}},
    ]


def log_config_files(app: App) -> dict[str, dict[str, str]]:
    """ConfigMap name to files, unless the user names a ConfigMap."""
    logs = app.spec.log_sidecar
    if logs is None:
        return {}
    files = logs.config.files if logs.config is not None else None
    if logs.output is not None:
        files = {_main_file(logs): shipper_config(app, logs, logs.output)}
    return {names.shipper_config_name(app.name): files} if files is not None else {}


def log_notes(spec: Spec) -> list[str]:
    """What is worth knowing of the image that was chosen."""
    logs = spec.log_sidecar
    if logs is None or logs.image is not None:
        return []
    image = KINDS[logs.shipper].images_by_output.get(_output_kind(logs))
    return [f"{image} is a tag that moves; set logSidecar.image to an image of your own choice"] if image else []


def _main_file(logs: LogSidecar) -> str:
    """The name of the main configuration file: of those that the shipper reads, the one that is there."""
    candidates = KINDS[logs.shipper].main_files
    files = logs.config.files if logs.config is not None else None
    if files is None:
        return candidates[0]
    found = next((name for name in candidates if name in files), None)
    if found is None:
        wanted = " or ".join(candidates)
        raise RenderError("spec.logSidecar.config.files", f"{logs.shipper} reads {wanted}; give a file of that name")
    return found


def _output_kind(logs: LogSidecar) -> str:
    return "loki" if logs.output is not None and logs.output.loki is not None else ""


def _env(fixed: dict[str, str], file: str) -> list[Object]:
    values: list[Object] = [{"name": name, "value": text.format(file=file)} for name, text in fixed.items()]
    fields: list[Object] = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in POD_FIELDS.items()
    ]
    return values + fields


def _resources(memory: str) -> Object:
    return {"requests": {"cpu": "25m", "memory": memory}, "limits": {"memory": memory}}


def _security_context(logs: LogSidecar, spec: Spec) -> Object:
    """Least privilege; as the app's user where that is known, for it wrote the files."""
    user = {"runAsUser": KINDS[logs.shipper].user} if spec.security.run_as_user is None else {}
    return {"readOnlyRootFilesystem": True, "runAsNonRoot": True, **user, **(logs.security_context or {})}


def _shared_mount(spec: Spec, logs: LogSidecar) -> Object:
    """The app's mount that holds the log folder, to be read at the same place."""
    own = _own_mount(spec, logs) or {"name": names.LOG_VOLUME, "mountPath": logs.directory}
    return {
        **{key: own[key] for key in ("name", "mountPath", "subPath", "subPathExpr") if key in own},
        "readOnly": True,
    }


def _own_mount(spec: Spec, logs: LogSidecar) -> Object | None:
    """The mount of the user's at the log folder, or the innermost one above it."""
    mounts = [mount for mount in spec.app.get("volumeMounts", ()) if _is_within(logs.directory, mount["mountPath"])]
    return max(mounts, key=lambda mount: len(mount["mountPath"]), default=None)


def _is_within(folder: str, mount_path: str) -> bool:
    inner, outer = posixpath.normpath(folder), posixpath.normpath(mount_path)
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")
