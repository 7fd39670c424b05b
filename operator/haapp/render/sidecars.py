"""Native sidecars: init containers that keep running (restartPolicy Always), up before the app and gone after it."""

from haapp.api import names
from haapp.api.objects import Object
from haapp.api.spec import Listen, Sidecar, Spec
from haapp.render.last_words import LAST_WORDS
from haapp.render.merge import add_mounts, add_port
from haapp.render.ports import metrics_targets
from haapp.render.security import harden

BEFORE_INIT_STEPS = "BeforeInitSteps"


def sidecar_containers(spec: Spec, start: str) -> list[Object]:
    """The containers of those sidecars that begin at `start`, in the user's order."""
    return [
        _container(sidecar, spec, f"spec.sidecars[{index}]")
        for index, sidecar in enumerate(spec.sidecars)
        if sidecar.start == start
    ]


def ambassador_env(spec: Spec, start: str | None = None) -> list[Object]:
    """The variables by which the app finds its ambassadors (only of those that begin at `start`, if given)."""
    return [
        variable
        for sidecar in spec.sidecars
        if sidecar.listen is not None and start in (None, sidecar.start)
        for variable in _listen_env(sidecar.listen)
    ]


def config_volumes(app_name: str, spec: Spec) -> list[Object]:
    """A volume for each sidecar with configuration files."""
    return [
        {
            "name": names.config_volume_name(sidecar.name),
            "configMap": {
                "name": sidecar.config.config_map_name or names.sidecar_config_name(app_name, sidecar.name),
            },
        }
        for sidecar in spec.sidecars
        if sidecar.config is not None
    ]


def config_files(app_name: str, spec: Spec) -> dict[str, dict[str, str]]:
    """ConfigMap name to files, for each sidecar whose files stand in the spec."""
    return {
        names.sidecar_config_name(app_name, sidecar.name): sidecar.config.files
        for sidecar in spec.sidecars
        if sidecar.config is not None and sidecar.config.files is not None
    }


def _container(sidecar: Sidecar, spec: Spec, path: str) -> Object:
    container = {**LAST_WORDS, **sidecar.container, "name": sidecar.name, "restartPolicy": "Always"}
    if sidecar.config is not None:
        mount = {
            "name": names.config_volume_name(sidecar.name),
            "mountPath": sidecar.config.mount_path,
            "readOnly": True,
        }
        container = add_mounts(container, [mount], path)
    if sidecar.listen is not None:
        container = add_port(container, sidecar.listen.port)
    for target in metrics_targets(spec):
        if target.sidecar == sidecar.name:
            container = add_port(container, target.port, target.name)
    return harden(container, spec.security)


def _listen_env(listen: Listen) -> list[Object]:
    variables = ((listen.host_env, "localhost"), (listen.port_env, str(listen.port)))
    return [{"name": name, "value": value} for name, value in variables if name is not None]
