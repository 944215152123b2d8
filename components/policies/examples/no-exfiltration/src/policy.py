from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.policy import Description, Effect, Finding, Rule
from wit_world.imports import session
from wit_world.imports.types import Action, JudgeError_Other

# What leaves the house.
OUTWARD = ("mail/send", "http/post", "http/put", "chat/post")
DAY_MS = 24 * 60 * 60 * 1_000


class Policy(exports.Policy):
    def evaluate(self, action: Action) -> Finding:
        if action.operation not in OUTWARD:
            return Finding(Effect.ABSTAIN, rule=None, reason="", obligations=[])
        if "confidential" in action.labels:
            return forbid("this is confidential")
        try:
            origins = session.labels(DAY_MS)
        except Err as error:
            # Without knowing what it saw, nothing leaves.
            raise Err(JudgeError_Other(f"what the session saw is not known: {error.value.name.lower()}"))
        for origin in origins:
            if origin.label == "confidential":
                return forbid(f"the session has seen confidential data in `{origin.operation}`")
        return Finding(Effect.ABSTAIN, rule=None, reason="", obligations=[])

    def describe(self) -> Description:
        rule = Rule("stays", Effect.FORBID, "Nothing is sent out after confidential data was seen.")
        summary = "Keeps a session that has seen confidential data from sending anything out."
        return Description(summary, [rule], session=True, warnings=[])


def forbid(reason: str) -> Finding:
    return Finding(Effect.FORBID, rule="stays", reason=reason, obligations=[])
