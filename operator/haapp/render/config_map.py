"""The ConfigMaps of the log shipper and the sidecars."""

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.render.log_shipper import log_config_files
from haapp.render.metadata import metadata
from haapp.render.sidecars import config_files
from haapp.render.templating import fill


def config_maps(app: App) -> list[Object]:
    """A ConfigMap for each container whose files stand in the spec or are made from it."""
    files = {**log_config_files(app), **config_files(app.name, app.spec)}
    return [fill("configmap.yaml.j2", meta=metadata(app, name), data=data) for name, data in files.items()]
