"""The attempts in a runner's hands, as people are shown them; what is known of one outlives its folder."""

import time

from msgspec.structs import replace

from bottool_runner.execution import Execution
from bottool_runner.journal import AttemptFolder
from bottool_runner.status import InHand, Past


class Hands:
    """Made for one run."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], InHand] = {}

    def take(self, folder: AttemptFolder) -> None:
        assignment = folder.assignment()
        work = assignment.work if assignment else None
        self._known[folder.key] = InHand(
            task_id=folder.task_id,
            attempt=folder.attempt,
            automation=work.automation if work else "",
            bot_id=work.bot_id if work else "",
            version=work.version if work else "",
            since=folder.taken_at(),
        )

    def shown(self, execution: Execution) -> InHand:
        return replace(self._known[execution.folder.key], state=execution.state)

    def let_go(self, execution: Execution) -> Past:
        """It is over; ``how`` is the last word that was said of it."""
        known = self._known.pop(execution.folder.key)
        outcome = execution.outcome
        return Past(
            task_id=known.task_id,
            attempt=known.attempt,
            automation=known.automation,
            bot_id=known.bot_id,
            version=known.version,
            how=execution.last_word.removeprefix("ended: "),
            went_well=outcome is not None and outcome.reason == "exited" and outcome.exit_code == 0,
            ended_at=time.time(),
        )
