"""The operator's own endpoints: /healthz and /readyz for the kubelet, /metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest


class Endpoints:
    """Serves on the given ports; 0 serves nothing there. `alive` and `ready` answer the probes."""

    def __init__(
        self, health_port: int, metrics_port: int, *, alive: Callable[[], bool], ready: Callable[[], bool]
    ) -> None:
        self._routes: dict[int, list[web.RouteDef]] = {}
        if health_port:
            self._routes[health_port] = [web.get("/healthz", _probe(alive)), web.get("/readyz", _probe(ready))]
        if metrics_port:
            self._routes.setdefault(metrics_port, []).append(web.get("/metrics", _metrics))
        self._runners: list[web.AppRunner] = []

    async def start(self) -> None:
        for port, routes in self._routes.items():
            app = web.Application()
            app.add_routes(routes)
            runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
            await runner.setup()
            self._runners.append(runner)
            await web.TCPSite(runner, None, port).start()

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()


def _probe(good: Callable[[], bool]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="ok\n") if good() else web.Response(status=503, text="not ok\n")

    return answer


async def _metrics(request: web.Request) -> web.Response:
    """All metrics, or those that are named by `?name[]=` as Prometheus' own clients take it."""
    names = request.query.getall("name[]", ())
    registry = REGISTRY.restricted_registry(names) if names else REGISTRY
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
