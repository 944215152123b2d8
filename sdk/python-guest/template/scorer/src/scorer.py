from wit_world import exports
from wit_world.exports.scorer import Assessment
from wit_world.imports.types import Action

# How the names of operations that change nothing start.
READING = ("find", "get", "list", "read", "search")


# Runs without clock, randomness, files and standard output: using one ends the
# component. To say that an action cannot be judged, raise an `Err` of
# `componentize_py_types` with one of the `JudgeError_…` of `imports.types`.
class Scorer(exports.Scorer):
    def evaluate(self, action: Action) -> Assessment:
        name = action.operation.rsplit("/", 1)[-1]
        if name.startswith(READING):
            return Assessment(1.0, "only reads")
        if "untrusted-input" in action.labels:
            return Assessment(0.25, "changes something on untrusted input")
        return Assessment(0.75, "changes something")
