"""The steps that run to completion, one after another, before the app."""

from haapp.api.objects import Object
from haapp.api.spec import InitStep, Spec
from haapp.render.last_words import LAST_WORDS
from haapp.render.merge import merge_env
from haapp.render.security import harden
from haapp.render.sidecars import BEFORE_INIT_STEPS, ambassador_env

SHELL = ("/bin/sh", "-ec")


def init_step_containers(spec: Spec) -> list[Object]:
    """An init container for each step. An ambassador that is up before the steps is known to them as to the app."""
    reachable = ambassador_env(spec, BEFORE_INIT_STEPS)
    return [_container(step, reachable, spec) for step in spec.init_steps]


def _container(step: InitStep, reachable: list[Object], spec: Spec) -> Object:
    container = {**LAST_WORDS, **step.container, "name": step.name}
    if step.script is not None:
        container["command"] = [*SHELL, step.script]
    env = merge_env(reachable, container.get("env", ()))
    if env:
        container["env"] = env
    return harden(container, spec.security)
