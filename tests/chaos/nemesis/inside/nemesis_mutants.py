"""Protocols that are wrong in a plausible way, built into the real modules of a round's processes, and only there.

Each mutant names the modules that it changes and how; a change gets the module right after it was imported. The checker
must find every one of them.
"""

import contextlib

EXECUTION = "bottool_runner.execution"
JOURNAL = "bottool_runner.journal"
GATEWAY = "bottool_runner.gateway"
SUPERVISOR = "bottool_runner.supervisor"
HANDOVER = "bottool_runner.handover"
ATTEMPTS = "bottool_web.actions.attempts"
CLAIMS = "bottool_web.actions.claims"
MOVES = "bottool_web.store.moves"
UPKEEP = "bottool_web.actions.upkeep"


def no_permit(module):
    """The runner starts what it claimed."""
    from bottool import wire

    def granted(_self):
        return wire.Permit(token="nobody asked", workspace="chaos")

    module.Execution._ask_permit = granted


def no_journal(module):
    """A runner that starts again knows nothing of what it did before."""
    module.found = lambda _attempts: []


def finish_is_not_fenced(module):
    """The end of any attempt is the end of the newest one."""

    def finish(site, who, task_id, _number, ended):
        def work(tx):
            task, attempt = module.fencing.newest(tx, who, task_id)
            held = module.Held(task=task, attempt=attempt)
            if held.state is not module.AttemptState.ENDED:
                module._end(tx, site, who, module._Report(held=held, ended=ended, tail=""))

        site.store.write(work)
        return module.wire.Finished()

    module.finish = finish


def permit_ignores_the_attempt(module):
    """Whoever asks may start."""
    module._has_permit = lambda _held: True


def verdict_ignores_the_attempt(module):
    module._verdict = lambda _each, _row: "ok"


def started_is_requeued(module):
    """Silence puts a task back into the queue, also after its permit."""

    def lose(tx, site, who, held):
        ending = module.endings.WithoutStart(kind="lease_lapsed", message="its runner went silent")
        module.endings.give_back(tx, site, who, held, ending)
        return True

    module._lose = lose


def every_move_is_allowed(module):
    module.task_may_move = module.attempt_may_move = lambda _old, _new: True


def begins_again(module):
    """A runner that starts again starts its bots again."""
    settle = module.settle

    def changed(folder):
        step = settle(folder)
        if step in {module.Next.FOLLOW, module.Next.DIED}:
            for name in ("start.ticket", "intent", "started", "exit"):
                (folder.path / name).unlink(missing_ok=True)
            return module.Next.BEGIN
        return step

    module.settle = changed


def void_without_ticket(module):
    """A bot that was not seen to start is reported as never started."""
    settle = module.settle

    def changed(folder):
        step = settle(folder)
        unseen = step in {module.Next.FOLLOW, module.Next.DIED} and not folder.has("started")
        return module.Next.VOID if unseen else step

    module.settle = changed


def no_ticket(module):
    """The keeper starts the bot without taking the ticket."""
    take = module.AttemptFolder.take_ticket
    module.AttemptFolder.take_ticket = lambda self, who: who is module.Ticket.KEEPER or take(self, who)


PENDING = {}


def intent_comes_late(module):
    """The journal is written after the permit was handed over, and decides alone."""
    publish, settle = module.AttemptFolder.publish, module.settle

    def changed(self, name, content):
        if name == "intent":
            PENDING[str(self.path)] = lambda: publish(self, name, content)
        else:
            publish(self, name, content)

    def by_intent(folder):
        if not folder.has("intent") and folder.has("start.ticket") and not folder.has("acked"):
            (folder.path / "start.ticket").unlink()
            return module.Next.BEGIN
        return settle(folder)

    module.AttemptFolder.publish, module.settle = changed, by_intent


def hand_over_before_intent(module):
    hand_over = module.KeeperProcess.hand_over
    made = module.KeeperProcess.__init__

    def remember(self, folder, *how):
        made(self, folder, *how)
        self.nemesis_folder = str(folder)

    def changed(self, permit):
        hand_over(self, permit)
        PENDING.pop(self.nemesis_folder)()

    module.KeeperProcess.__init__, module.KeeperProcess.hand_over = remember, changed


def death_is_success(module):
    """A keeper that is gone did its work."""

    def end_leftovers(self):
        module.stop_processes(self.folder, self._around.boot_id)
        key = module.uuid.uuid4().hex
        self.folder.publish("exit", module.wire.Ended(report_key=key, reason="exited", exit_code=0))

    module.Execution._end_leftovers = end_leftovers


def leftovers_live(module):
    """The bot of a killed keeper is left alone, and reported as ended."""
    module.stop_processes = lambda _folder, _boot_id: ()


def cancel_after_permit(module):
    module.BEFORE_START |= {module.TaskState.STARTING, module.TaskState.RUNNING}


def keys_are_forgotten(module):
    module.once = lambda _tx, _scope, _request, make, _answer: (make(), True)


def output_has_no_offsets(module):
    append = module.append_output

    def changed(site, who, task_id, number, _offset, data):
        row = site.store.read(lambda tx: module.attempts.find(tx, who.scope, task_id, number))
        return append(site, who, task_id, number, row.output_bytes, data)

    module.append_output = changed


def moves_without_history(module):
    take = module.take

    def changed(tx, scope, step):
        if step.kind != "started":
            take(tx, scope, step)
            return
        module._move_task(tx, scope, step)
        module._move_attempt(tx, scope, step)

    module.take = changed


def slots_are_not_counted(module):
    module._room = lambda _tx, _who, _said: 5


def tokens_are_printed(module):
    module.Spool.hide = lambda _self, *_secrets: None


def reports_are_not_repeated(module):
    finish = module.Gateway.finish

    def changed(self, task_id, attempt, body):
        with contextlib.suppress(module.BottoolError):
            return finish(self, task_id, attempt, body)
        return module.wire.Finished()

    module.Gateway.finish = changed


MUTANTS = {
    "no permit": {EXECUTION: no_permit},
    "no journal": {SUPERVISOR: no_journal},
    "finish is not fenced": {"bottool_web.actions.reports": finish_is_not_fenced},
    "permit ignores the attempt": {ATTEMPTS: permit_ignores_the_attempt, CLAIMS: verdict_ignores_the_attempt},
    "started is requeued": {UPKEEP: started_is_requeued, MOVES: every_move_is_allowed},
    "begins again": {EXECUTION: begins_again},
    "void without ticket": {EXECUTION: void_without_ticket},
    "no ticket": {JOURNAL: no_ticket},
    "intent comes late": {JOURNAL: intent_comes_late, HANDOVER: hand_over_before_intent},
    "death is success": {EXECUTION: death_is_success},
    "leftovers live": {EXECUTION: leftovers_live},
    "cancel after permit": {"bottool_web.actions.stopping": cancel_after_permit},
    "keys are forgotten": {"bottool_web.actions.once": keys_are_forgotten},
    "output has no offsets": {"bottool_web.actions.output": output_has_no_offsets},
    "moves without history": {MOVES: moves_without_history},
    "slots are not counted": {CLAIMS: slots_are_not_counted},
    "tokens are printed": {"bottool_runner.output": tokens_are_printed},
    "reports are not repeated": {GATEWAY: reports_are_not_repeated},
}
