"""Sites with a host in them, and servers of such sites."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import vak

COMPONENTS = Path(os.environ["VAK_COMPONENTS"])
PROGRAM = os.environ["VAK_PROGRAM"]

#: Longer than anything takes, also on a busy machine.
PATIENCE_S = 120.0

RULES = """
[[rule]]
id = "all"
effect = "permit"
operations = ["files/*", "pay", "skill/*"]
[[rule]]
id = "no-delete"
effect = "forbid"
operations = ["files/delete"]
[[rule]]
id = "ask"
effect = "escalate"
operations = ["files/ask"]
[[rule]]
id = "ask-too"
effect = "escalate"
operations = ["skill/*"]
when = [{ label = "ask" }]
[[rule]]
id = "hidden"
effect = "permit"
operations = ["files/redact"]
obligations = [{ redact = { argument = "/path", with = "gone" } }]
[[rule]]
id = "named"
effect = "permit"
operations = ["files/header"]
obligations = [{ header = { name = "x-agent", value = "ada" } }]
"""

LIMITS = """
[[limits]]
name = "money"
kind = "budget"
per = "agent"
amount = 100
cost = "cost"
operations = "pay"
"""


def token(name: str) -> str:
    return "vak_" + hashlib.sha256(name.encode()).hexdigest()


def token_lines(name: str, scopes: str, agents: str) -> str:
    digest = hashlib.sha256(token(name).encode()).hexdigest()
    return f"[[server.tokens]]\nname = '{name}'\ndigest = 'sha256:{digest}'\nscopes = {scopes}\nagents = {agents}\n"


TOKENS = token_lines("app", "['decide', 'execute']", "['*']") + token_lines("grace", "['approve']", "['*']")


class Site:
    """A folder with a `vak.toml`, a log key and rules."""

    def __init__(self, folder: Path, *, audit: str = "", server: str = "", limits: str = LIMITS, rules: str = RULES) -> None:
        self.folder = folder
        self.config = folder / "vak.toml"
        subprocess.run([PROGRAM, "key", "new", folder / "log.key"], check=True, stdout=subprocess.DEVNULL)
        (folder / "rules.toml").write_text(rules)
        (folder / "state").mkdir()
        # Compiled once for all tests: it takes seconds in a development build.
        shared = COMPONENTS / ".compiled"
        shared.mkdir(mode=0o700, exist_ok=True)
        (folder / "state" / "compiled").symlink_to(shared)
        publisher = (COMPONENTS / "publisher.pub").read_text().strip()
        self.config.write_text(f"""
state = "state"
trust.keys = [{{ name = "publisher", public = "{publisher}", may_permit = true }}]
audit = {{ origin = "example.org/test", key = "log.key"{audit} }}
[[policies]]
name = "rules"
component = "{COMPONENTS}/rules.wasm"
config = "rules.toml"
may_permit = true
[policies.limits]
wall_ms_max = 10_000
[[skills]]
name = "calculator"
component = "{COMPONENTS}/calculator.wasm"
{limits}
{server}
""")

    def log(self) -> Log:
        """What the log has, once nobody writes it any more. It verifies."""
        log, key = self.folder / "state" / "audit.sqlite", self.folder / "log.vkey"
        with key.open("w") as file:
            subprocess.run([PROGRAM, "audit", "key", "--config", self.config], check=True, stdout=file)
        subprocess.run([PROGRAM, "audit", "verify", log, "--key", key], check=True, stdout=subprocess.DEVNULL)
        exported = self.folder / "log.jsonl"
        exported.unlink(missing_ok=True)
        subprocess.run([PROGRAM, "audit", "export", log, "--output", exported], check=True, stdout=subprocess.DEVNULL)
        return Log([json.loads(line) for line in exported.read_text().splitlines()])


class Log:
    """The decisions of a log, in their order, and how each ended."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.decisions = [entry for entry in entries if entry["kind"] == "decision"]
        self.outcomes: dict[int, dict[str, Any]] = {}
        allows = {entry["seq"] for entry in self.decisions if word(entry) == "allow"}
        for entry in entries:
            if entry["kind"] == "outcome":
                decision = entry["body"]["decision"]
                assert decision in allows and decision not in self.outcomes, entry
                self.outcomes[decision] = entry["body"]

    def told(self) -> list[tuple[str, str | None]]:
        """The word of each verdict, and that of its outcome."""
        return [(word(entry), self.outcomes.get(entry["seq"], {}).get("status")) for entry in self.decisions]

    def details(self) -> list[str]:
        return [outcome["detail"] for outcome in self.outcomes.values()]

    def all_ended(self) -> bool:
        """Whether each allowed action has its outcome."""
        return all(status is not None for decision, status in self.told() if decision == "allow")


def word(entry: dict[str, Any]) -> str:
    return str(entry["body"]["verdict"]["decision"])


class Served:
    """`vak serve`, running."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--config", site.config], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.url = line.removeprefix("listening on ").strip()

    def client(self, name: str = "app", **settings: Any) -> vak.Client:
        return vak.Client(self.url, token=None if self.url.startswith("unix:") else token(name), **settings)

    def halt(self) -> None:
        """Has it stand still from here on."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends it at once, and no more than that."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        assert self.process.wait(PATIENCE_S) == 0


def until(so: Callable[[], bool], what: str) -> None:
    """Waits until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < end, f"it never came to `{what}`"
        time.sleep(0.02)


def served_site(folder: Path, listen: str = "listen = '127.0.0.1:0'", **more: str) -> Site:
    return Site(folder, server=f"[server]\n{listen}\n{TOKENS}", **more)


class Asked:
    """Something that decides, in whichever way."""

    def __init__(self, site: Site, asked: vak.Host | vak.Client, served: Served | None) -> None:
        self.site, self.it, self.served = site, asked, served

    def decide(self, operation: str = "files/read", *arguments: Any, **more: Any) -> vak.Decision:
        return self.it.decide("ada", operation, "notes", *arguments, **more)

    def pay(self, cost: int) -> vak.Decision:
        return self.decide("pay", attributes={"cost": cost})

    def approve(self, seq: int) -> vak.Receipt:
        if isinstance(self.it, vak.Host):
            return self.it.approve(seq, by="grace", note="as we said")
        assert self.served is not None
        with self.served.client("grace") as grace:
            return grace.approve(seq, note="as we said")

    def reject(self, seq: int) -> vak.Receipt:
        if isinstance(self.it, vak.Host):
            return self.it.reject(seq, by="grace", note="no")
        assert self.served is not None
        with self.served.client("grace") as grace:
            return grace.reject(seq, note="no")

    def close(self) -> Log:
        self.it.close()
        if self.served is not None:
            self.served.stop()
        return self.site.log()


def python(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a script in a Python of its own."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
