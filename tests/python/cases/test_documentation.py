"""Every example runs, and everything public has words."""

from __future__ import annotations

import asyncio
import doctest
import inspect
import os
from pathlib import Path
from typing import Any

import vak
from sites import Served, Site, token


def names(site: Site, served: Served) -> dict[str, Any]:
    return {"vak": vak, "asyncio": asyncio, "config": site.config, "url": served.url, "token": token("app")}


def test_examples_run(site: Site, served_elsewhere: Served) -> None:
    # What several classes share is in a base that is not public.
    public = [getattr(vak, name) for name in vak.__all__]
    bases = {base for it in public for base in getattr(it, "__mro__", [it]) if base.__module__ == "vak"}
    find = doctest.DocTestFinder().find
    found = [test for it in bases for test in find(it, it.__name__, module=False, globs={})]
    examples = [test for test in found if test.examples]
    assert len(examples) >= 7, [test.name for test in examples]
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in examples:
        test.globs = names(site, served_elsewhere)
        if "decide" in test.name or "Decision" in test.name or test.name == "guarded":
            with vak.Host(site.config) as host:
                test.globs["host"] = host
                runner.run(test)
        else:
            runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_the_readme_runs(site: Site, served_elsewhere: Served) -> None:
    readme = Path(os.environ["VAK_PYTHON_README"])
    text = "\n".join(line for line in readme.read_text().splitlines() if not line.startswith("```"))
    test = doctest.DocTestParser().get_doctest(text, names(site, served_elsewhere), "README.md", str(readme), 0)
    assert len(test.examples) >= 7
    assert doctest.DocTestRunner().run(test).failed == 0


def test_everything_public_has_words() -> None:
    assert sorted(vak.__all__) == [name for name in sorted(dir(vak)) if not name.startswith("_")]
    for name in vak.__all__:
        public = getattr(vak, name)
        assert inspect.getdoc(public), name
        assert public.__module__ == "vak", name
        for member in dir(public):
            if not member.startswith("_") and member not in dir(OSError) and isinstance(public, type):
                assert inspect.getdoc(inspect.getattr_static(public, member)), f"{name}.{member}"
