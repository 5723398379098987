"""One run of `imagegate deploy`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from imagegate.adapters import aws
from imagegate.adapters.clock import SystemClock
from imagegate.cli.deploy import account, screen
from imagegate.cli.deploy.choices import ParameterChoice, ParameterError, check, parse, read_file, split
from imagegate.cli.deploy.executions import Executions
from imagegate.cli.deploy.parameters import STAGE, read_template
from imagegate.cli.deploy.plan import make_plan
from imagegate.cli.deploy.sam import Sam, ToolError
from imagegate.cli.deploy.stack import CloudFormationStack, Formation, StackStateError
from imagegate.cli.routes.push import note_secrets_of
from imagegate.cli.target import target
from imagegate.deployment import Deployment
from imagegate.ports.runtime import Clock
from imagegate.settings import of_stage

_TOPIC = "AlarmTopic"
_CLEANING = 900.0
"""Seconds that AWS may take to delete the remains of an earlier deployment."""


class DeployCommand:
    """Call `choose`, `ask_first` and `run`, in this order. Each may raise an ImagegateError that says what to do."""

    def __init__(
        self,
        root: Path,
        stage: str,
        sam: Sam | None = None,
        clients: account.Clients = aws.client,
        clock: Clock | None = None,
    ) -> None:
        """`root`: the checkout. Raises ParameterError when `stage` cannot be a stage's name."""
        self._template = read_template(root / "template.yaml")
        if why := self._template.parameters[STAGE].problem(stage):
            raise ParameterError(why)
        self._root, self._stage, self._name = root, stage, f"imagegate-{stage}"
        self._clients, self._clock = clients, clock or SystemClock()
        self._sam = sam or Sam(root)
        self._formation = Formation(clients, self._clock)
        self._choices: Mapping[str, ParameterChoice] = {}
        self._file: Path | None = None
        self._steps = screen.DeploySteps(0)

    def choose(self, file: Path | None, text: str, assignments: Sequence[str]) -> None:
        """Read the parameters: of the stage's file, then over them `A=b C=d` and single `NAME=VALUE`."""
        usual = self._root / "infra" / "stages" / f"{self._stage}.toml"
        self._file = file or (usual if usual.exists() else None)
        in_file = read_file(self._file) if self._file else {}
        given = parse([*split(text), *assignments])
        check(self._template, in_file, given)
        self._choices = {**in_file, **given}

    def ask_first(self) -> None:
        """Find out from AWS what will cause trouble, and show it."""
        self._account = account.identify(self._clients)
        self._stack = self._formation.find(self._name)
        updates = self._stack is not None and not self._stack.failed_first_try
        deployed = self._stack.parameters if self._stack and updates else {}
        file = str(self._file) if self._file else None
        self._planner = make_plan(self._template, self._stage, self._choices, deployed, file)
        screen.show_target(self._name, self._account, self._planner.lines)
        screen.warn(account.quota_warnings(self._clients, self._planner.values, account.reserved_by(deployed)))
        screen.warn(self._alarm_warnings())
        if self._stack:
            self._stack.require_updatable(self._stage)

    def run(self) -> None:
        """Build and deploy, and show what to do next."""
        self._steps = screen.DeploySteps(2 if self._sam.installed else 3)
        if not self._sam.installed:
            with self._steps.step("SAM CLI, into .venvs/sam (once; about 250 MB)"):
                self._sam.install()
        with self._steps.step("build the layer"):
            self._sam.build()
        self._clear_the_way()
        with self._steps.step(f"deploy {self._name}", quiet=False):
            self._deploy()
        self._show_next()

    def _deploy(self) -> None:
        """Have SAM deploy. Raises ToolError with what CloudFormation could not make or change."""
        updates = self._stack if self._stack and not self._stack.failed_first_try else None
        before = self._formation.last_event(updates) if updates else ""
        try:
            self._sam.deploy(self._name, self._account.region, self._planner.given)
        except ToolError as error:
            stack = self._formation.find(self._name)
            failures = self._formation.failures(stack, before) if stack else []
            if not failures:
                raise
            again = "Correct that, then run this again."
            raise ToolError(
                "\n".join((f"{error} What failed:", *(f"  {attempt}" for attempt in failures), again))
            ) from error

    def _alarm_warnings(self) -> list[str]:
        topic = None
        if self._stack:
            topics = (
                resource
                for resource in self._formation.resources(self._stack)
                if resource["LogicalResourceId"] == _TOPIC
            )
            topic = next((topic.get("PhysicalResourceId") for topic in topics), None)
        return account.alarm_warnings(self._clients, topic, self._planner.values["AlarmEmail"])

    def _clear_the_way(self) -> None:
        """Remove the remains of an earlier deployment that would make this one fail."""
        if self._stack and self._stack.failed_first_try:
            self._remove_failed(self._stack)
        if not self._stack or self._stack.failed_first_try:
            self._wait_for_old_workflow()

    def _remove_failed(self, stack: CloudFormationStack) -> None:
        screen.say(f"{stack.name} was never complete ({stack.status}):")
        for line in self._formation.failures(stack):
            screen.say(f"  {line}")
        with self._steps.further("remove what is left of it"):
            self._formation.delete(stack)
            status = self._formation.wait_deleted(stack, _CLEANING)
        if status != "DELETE_COMPLETE":
            remedy = f"Run 'make destroy STAGE={self._stage}', which says what is in the way."
            raise StackStateError(f"{stack.name} could not be removed ({status}). {remedy}")

    def _wait_for_old_workflow(self) -> None:
        where, name = self._account, self._name
        partition = where.arn.split(":")[1]
        machine = f"arn:{partition}:states:{where.region}:{where.id}:stateMachine:{name}"
        executions = Executions(self._clients("stepfunctions"), machine, self._clock)
        if executions.deleting():
            with self._steps.further("wait for the workflow of an earlier deployment to end"):
                gone = executions.wait_deleted(_CLEANING)
            if not gone:
                raise StackStateError(
                    f"The state machine {name} of an earlier deployment is still DELETING. Try later."
                )

    def _show_next(self) -> None:
        fresh, self._stack = self._stack is None or self._stack.failed_first_try, self._formation.find(self._name)
        outputs = self._stack.outputs if self._stack else {}
        options = target(self._stage, False, Path()).options
        steps = screen.next_steps(outputs, options, self._planner.values["Access"] == "keys") if fresh else []
        for line in (*screen.addresses(outputs), *steps):
            screen.say(line)
        self._note_secrets(outputs)
        if self._planner.values["AlarmEmail"]:
            screen.warn(self._alarm_warnings())

    def _note_secrets(self, outputs: Mapping[str, str]) -> None:
        """Tell the deployment which upstream credentials are set, some perhaps by other tools."""
        if "TableName" not in outputs:
            return
        try:
            note_secrets_of(Deployment(of_stage(self._stage, outputs), self._clients))
        except (BotoCoreError, ClientError) as error:
            remedy = f"Run 'imagegate models --stage {self._stage}'."
            screen.warn([f"Which upstream keys are set could not be noted ({error}). {remedy}"])
