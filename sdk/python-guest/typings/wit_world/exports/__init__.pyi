"""What a component has to implement, for all four kinds: a class with the name
of its kind in `src/`, derived from the protocol of the same name."""

from abc import abstractmethod
from typing import Protocol

from ..imports import types
from . import adapter, policy, scorer, skill

class Policy(Protocol):
    @abstractmethod
    def evaluate(self, action: types.Action) -> policy.Finding:
        """Judges one action. The same action gives the same answer. An error, a
        trap or an exhausted limit is a forbid.

        Raises: `Err(JudgeError)`"""

    @abstractmethod
    def describe(self) -> policy.Description:
        """Says what this policy contains."""

class Scorer(Protocol):
    @abstractmethod
    def evaluate(self, action: types.Action) -> scorer.Assessment:
        """Assesses one action. The same action gives the same assessment.

        Raises: `Err(JudgeError)`"""

class Adapter(Protocol):
    @abstractmethod
    def describe(self) -> adapter.Info:
        """Says which framework this adapter understands."""

    @abstractmethod
    def ingest(self, event: str) -> adapter.Intake:
        """Reads one message, given as JSON.

        Raises: `Err(AdapterError)`"""

    @abstractmethod
    def render(self, event: str, answers: list[adapter.Answer]) -> str:
        """Writes the framework's answer to `event`, as JSON, given one answer
        for each of its actions; none, where it asked for none.

        Raises: `Err(AdapterError)`"""

class Skill(Protocol):
    @abstractmethod
    def describe(self) -> skill.Tool:
        """Describes the tool."""

    @abstractmethod
    def invoke(self, input: str) -> str:
        """Does the work. Input and output are JSON.

        Raises: `Err(SkillError)`"""

class Configure(Protocol):
    """For components that take configuration, with
    `export vak:types/configure@0.1.0;` in `wit/world.wit`."""

    @abstractmethod
    def configure(self, config: str) -> None:
        """Called once, when the component is installed. The host snapshots the
        memory: what a module keeps is there in every later call.

        Raises: `Err(ConfigError)` of `exports.configure`"""
