"""The app's own ServiceAccount."""

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.render.metadata import metadata
from haapp.render.templating import fill


def service_account(app: App) -> Object | None:
    """The ServiceAccount, unless the user names one that exists."""
    if app.spec.pod.service_account_name is not None:
        return None
    return fill("serviceaccount.yaml.j2", meta=metadata(app, app.name))
