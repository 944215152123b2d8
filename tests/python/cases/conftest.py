"""Hosts in this process, and behind servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sites import Asked, Served, Site, served_site

import vak


@pytest.fixture(params=["host", "client"])
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    """A host in this process, and one behind a server."""
    if request.param == "host":
        site = Site(tmp_path)
        with vak.Host(site.config) as host:
            yield Asked(site, host, None)
        return
    site = served_site(tmp_path)
    served = Served(site)
    with served.client() as client:
        yield Asked(site, client, served)
    served.stop()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def host(site: Site) -> Iterator[vak.Host]:
    with vak.Host(site.config) as host:
        yield host


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(served_site(tmp_path))
    yield served
    served.stop()


@pytest.fixture
def served_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of a folder of its own."""
    served = Served(served_site(tmp_path_factory.mktemp("served")))
    yield served
    served.stop()
