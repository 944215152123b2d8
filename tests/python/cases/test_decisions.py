"""What is decided, and what is reported of it: the same by a host and by a server."""

from __future__ import annotations

import copy
import gc
import pickle
from typing import Any

import pytest

import vak
from sites import Asked, Site


def test_an_allow_is_carried_out_and_reported_once(asked: Asked) -> None:
    decision = asked.decide("files/read", {"path": "/work/a", "n": [1, 2.5, None, True]})
    assert decision.allowed and decision.verdict.allowed and decision.verdict.decision == "allow"
    assert decision.verdict.rule == "all" and decision.verdict.unsigned is False
    assert decision.raise_for_verdict() is decision
    assert decision.arguments == {"path": "/work/a", "n": [1, 2.5, None, True]}
    # New objects each time: nobody changes what was judged.
    decision.arguments["path"] = "/etc"
    assert decision.arguments["path"] == "/work/a"
    assert decision.receipt is not None and decision.receipt.tier == "durable"
    assert decision.receipt.leaf is not None and decision.receipt.checkpoint is not None
    outcome = decision.succeeded({"text": "…"}, spent={"cost": 3})
    assert outcome.seq > decision.receipt.seq and outcome.origin == "example.org/test"
    for again in (decision.succeeded, decision.failed, decision.unknown):
        with pytest.raises(vak.NotOpen):
            again()
    with pytest.raises(vak.NotOpen), decision:
        pytest.fail("it has its outcome")
    assert asked.close().told() == [("allow", "succeeded")]


def test_a_deny_is_an_answer_and_nothing_else(asked: Asked) -> None:
    decision = asked.decide("files/delete", {"path": "/work/a"})
    assert not decision.allowed and decision.verdict.decision == "deny"
    assert decision.verdict.rule == "no-delete" and "no-delete" in decision.verdict.message
    (reason,) = decision.verdict.reasons
    assert (reason.source, reason.name, reason.effect, reason.rule) == ("policy", "rules", "forbid", "no-delete")
    with pytest.raises(vak.Denied) as raised:
        decision.raise_for_verdict()
    assert raised.value.verdict.rule == "no-delete" and raised.value.action == decision.action
    assert raised.value.receipt is not None and raised.value.retry_after_ms is None
    for carried_out in ("arguments", "headers"):
        with pytest.raises(vak.Denied):
            getattr(decision, carried_out)
    with pytest.raises(vak.Denied), decision:
        pytest.fail("it is denied")
    with pytest.raises(vak.NotOpen):
        decision.succeeded()
    assert asked.decide("unheard/of").verdict.reasons[-1].source == "host"
    assert asked.close().told() == [("deny", None), ("deny", None)]


def test_nothing_is_true_by_being_there(asked: Asked) -> None:
    decision = asked.decide()
    execution = asked.it.execute("ada", "calculator", {"expression": "1"})
    for answer in (decision, decision.verdict, execution, asked.decide("files/delete")):
        with pytest.raises(TypeError, match="allowed"):
            bool(answer)
        with pytest.raises(TypeError):
            _ = answer or None


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (None, "succeeded"),
        (ValueError("the secret is 42"), "failed"),
        (TimeoutError(), "unknown"),
        (KeyboardInterrupt(), "unknown"),
        (SystemExit(), "unknown"),
        (GeneratorExit(), "unknown"),
    ],
)
def test_a_block_ends_as_it_ends(asked: Asked, raised: BaseException | None, status: str) -> None:
    decision = asked.decide()
    try:
        with decision:
            if raised is not None:
                raise raised
    except BaseException as error:
        assert error is raised
    with pytest.raises(vak.NotOpen), decision:
        pytest.fail("a block runs once")
    log = asked.close()
    assert log.told() == [("allow", status)]
    assert log.details() == [type(raised).__name__ if raised else ""]


def test_a_block_may_report_by_itself(asked: Asked) -> None:
    with asked.decide() as decision:
        decision.failed("not today")
    with pytest.raises(ValueError), asked.decide() as decision:
        decision.succeeded()
        raise ValueError
    log = asked.close()
    assert log.told() == [("allow", "failed"), ("allow", "succeeded")]


def test_what_nobody_reports_is_unknown(asked: Asked) -> None:
    asked.decide()
    kept = [asked.decide()]
    kept.append(kept)  # type: ignore[arg-type]
    del kept
    gc.collect()
    left = asked.decide()
    if asked.served is None:
        # Closing reports what is left; later there is nobody to report to.
        asked.it.close()
        with pytest.raises((vak.Stopped, vak.NotOpen)):
            left.succeeded()
    del left
    log = asked.close()
    assert log.told() == [("allow", "unknown")] * 3, log.details()


def test_obligations_are_met_or_it_is_a_deny(asked: Asked) -> None:
    given = {"path": "/secret"}
    assert not asked.decide("files/redact", given).allowed
    assert not asked.decide("files/redact", given, able=["headers"]).allowed
    decision = asked.decide("files/redact", given, able=["arguments"])
    assert decision.arguments == {"path": "gone"} and decision.headers == {}
    (obligation,) = decision.verdict.obligations
    assert obligation["redact"]["argument"] == "/path"
    assert not asked.decide("files/header", able=["arguments"]).allowed
    decision = asked.decide("files/header", {"n": 1}, able=("arguments", "headers"))
    assert decision.headers == {"x-agent": "ada"} and decision.arguments == {"n": 1}


def test_a_budget_is_held_until_the_outcome(asked: Asked) -> None:
    first = asked.pay(60)
    denied = asked.pay(60)
    assert not denied.allowed and denied.verdict.reasons[0].source == "limit"
    first.failed()
    with asked.pay(60):
        pass
    assert not asked.pay(60).allowed
    assert asked.pay(40).allowed


def test_a_person_decides_what_is_escalated(asked: Asked) -> None:
    decision = asked.decide("files/ask", {"n": 1})
    with pytest.raises(vak.Escalated) as raised:
        decision.raise_for_verdict()
    seq = raised.value.seq
    assert decision.receipt is not None and seq == decision.receipt.seq
    assert asked.it.approval(seq).standing == "waiting"
    with pytest.raises(vak.ApprovalError):
        asked.it.decide_approved(seq)
    asked.approve(seq)
    standing = asked.it.approval(seq)
    assert (standing.standing, standing.by, standing.seq) == ("approved", "grace", seq)
    again = asked.it.decide_approved(seq)
    assert again.allowed and again.arguments == {"n": 1} and again.verdict.approval is not None
    again.succeeded()
    for _ in range(2):
        with pytest.raises(vak.ApprovalError):
            asked.it.decide_approved(seq)
    with pytest.raises(vak.ApprovalError):
        asked.approve(seq)
    other = asked.decide("files/ask")
    assert other.receipt is not None
    asked.reject(other.receipt.seq)
    standing = asked.it.approval(other.receipt.seq)
    assert (standing.standing, standing.note) == ("rejected", "no")
    with pytest.raises(vak.ApprovalError):
        asked.it.decide_approved(other.receipt.seq)
    for nothing in (0, 999_999, 2**64 - 1):
        with pytest.raises(vak.ApprovalError):
            asked.it.decide_approved(nothing)
    assert asked.close().told() == [("escalate", None), ("allow", "succeeded"), ("escalate", None)]


def test_persons_see_what_waits(asked: Asked) -> None:
    decision = asked.decide("files/ask", {"n": 1}, labels=["mail"], attributes={"roles": ["a"], "n": 1})
    if isinstance(asked.it, vak.Host):
        (waiting,) = asked.it.approvals()
    else:
        assert asked.served is not None
        with pytest.raises(vak.Problem) as raised:
            asked.it.approvals()
        assert (raised.value.kind, raised.value.status) == ("scope", 403)
        with asked.served.client("grace") as grace:
            (waiting,) = grace.approvals()
    assert decision.receipt is not None and waiting.seq == decision.receipt.seq
    action = waiting.action
    assert (action["id"], action["agent"], action["arguments"]) == (decision.action, "ada", {"n": 1})
    assert action["labels"] == ["mail"] and action["attributes"] == {"roles": ["a"], "n": 1}
    assert waiting.until_ns > waiting.since_ns and waiting.verdict.decision == "escalate"


def test_agents_do_not_answer_for_themselves(host: vak.Host) -> None:
    decision = host.decide("ada", "files/ask", "notes")
    assert decision.receipt is not None
    with pytest.raises(vak.ApprovalError):
        host.approve(decision.receipt.seq, by="ada")
    with pytest.raises(vak.ArgumentError):
        host.approve(decision.receipt.seq, by="")
    assert host.approval(decision.receipt.seq).standing == "waiting"


def test_skills_run_if_they_are_allowed(asked: Asked) -> None:
    execution = asked.it.execute("ada", "calculator", {"expression": "6 * 7"})
    assert execution.output == {"value": 42.0} and execution.status == "succeeded"
    assert execution.outcome is not None
    failed = asked.it.execute("ada", "calculator", {"expression": "6 *"})
    assert failed.allowed and failed.status == "failed"
    with pytest.raises(vak.SkillFailed):
        _ = failed.output
    waits = asked.it.execute("ada", "calculator", {"expression": "2"}, labels=["ask"])
    assert not waits.allowed and waits.status is None and waits.outcome is None
    with pytest.raises(vak.Escalated) as raised:
        _ = waits.output
    asked.approve(raised.value.seq)
    assert asked.it.execute_approved(raised.value.seq).output == {"value": 2.0}
    with pytest.raises(vak.ApprovalError):
        asked.it.execute_approved(raised.value.seq)
    with pytest.raises(vak.NoSuchSkill):
        asked.it.execute("ada", "shell")


def test_sessions_are_those_of_their_agents(asked: Asked) -> None:
    one, other = asked.it.open_session("ada"), asked.it.open_session("ada")
    assert one != other
    assert asked.decide(session=one).allowed
    if isinstance(asked.it, vak.Client):
        with pytest.raises(vak.Problem) as raised:
            asked.it.decide("bob", "files/read", "notes", session=one)
        assert raised.value.kind == "session"


def test_a_configuration_is_read_again(site: Site) -> None:
    with vak.Host(site.config, overrides={"audit.release": "accepted"}) as host:
        assert host.decide("ada", "files/read", "notes").allowed
        before = site.folder / "rules.toml"
        rules = before.read_text()
        before.write_text("[[rule]]\nnonsense = 1\n")
        with pytest.raises(vak.ConfigError, match="rules.toml:1:1"):
            host.reload()
        assert host.decide("ada", "files/read", "notes").allowed
        before.write_text(rules.replace('"files/delete"', '"files/read"'))
        assert host.reload().tier == "durable"
        decision = host.decide("ada", "files/read", "notes")
        assert decision.verdict.rule == "no-delete"
        assert decision.receipt is not None and decision.receipt.tier == "accepted"
        assert decision.receipt.leaf is None and decision.receipt.checkpoint is None
    assert site.log().told() == [("allow", "unknown"), ("allow", "unknown"), ("deny", None)]


def test_what_is_no_configuration_is_no_host(site: Site) -> None:
    for path in (site.folder / "missing.toml", site.folder, site.folder / "rules.toml"):
        with pytest.raises(vak.ConfigError):
            vak.Host(path)
    wrong: list[Any] = [{"audit.releese": "x"}, {"audit.release": "x"}, {"": 1}, {"audit": {}}, {"audit.release": None}]
    for overrides in wrong:
        with pytest.raises((vak.ConfigError, vak.ArgumentError)):
            vak.Host(site.config, overrides=overrides)
    with vak.Host(site.config), pytest.raises(vak.ConfigError):
        vak.Host(site.config)
    with vak.Host(str(site.config), overrides={"approvals.wait_s": 60}) as host:
        assert host.decide("ada", "files/read", "notes").allowed


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 3_000, "p\u0430y"])
def test_names_that_could_be_taken_for_others_are_refused(asked: Asked, name: str) -> None:
    def call(**changed: Any) -> vak.Decision:
        names: dict[str, Any] = {"agent": "ada", "operation": "files/read", "resource": "notes"} | changed
        return asked.it.decide(**names)

    for what in ("agent", "operation"):
        with pytest.raises(vak.ArgumentError):
            call(**{what: name})
    with pytest.raises(vak.ArgumentError):
        call(labels=[name])
    assert asked.close().told() == []


def test_nobody_makes_an_allow_of_their_own(host: vak.Host) -> None:
    decision = host.decide("ada", "files/delete", "notes")
    for made in (vak.Decision, vak.AsyncDecision, vak.Verdict, vak.Receipt, vak.Execution, vak.Awaitable):
        for make in (made, lambda made=made: object.__new__(made), lambda made=made: type("Mine", (made,), {})):
            with pytest.raises(TypeError):
                make()
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            copied(decision)
    for name in ("allowed", "verdict", "arguments", "mine"):
        with pytest.raises(AttributeError):
            setattr(decision, name, True)
        with pytest.raises(AttributeError):
            setattr(decision.verdict, name, True)
    assert not decision.allowed
