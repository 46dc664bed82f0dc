"""The start protocol between server, runner and keeper, small enough to try every order of events.

One task, a few attempts. The adversary may lose, delay, repeat and reorder every message (what was sent once may arrive
at any moment, any number of times, or never), kill a runner or a keeper between any two steps, and let any lease run
out. ``test_protocol_model`` visits every state that can be reached and checks the promises in each of them.

What stands for what: an attempt's ``Site`` is the runner's memory of it, its folder on disk and its keeper. Sites are
crashed one by one, which includes a machine that loses all at once. Where the program looks at two things, the model
trusts the weaker one alone: a restarted runner goes by ``intent``, although the program reads the ticket as well.

``Rules`` are the protocol; each ``False`` is a mutant, a plausible protocol that is wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The protocol as it is; turn one off to get a mutant."""

    keeper_takes_ticket: bool = True
    """The keeper launches only when its link to the start ticket succeeded."""
    runner_asks_permit: bool = True
    """The runner hands nothing over before the server granted the permit."""
    started_is_never_requeued: bool = True
    """A lease that runs out after the permit makes the task lost, not queued."""
    intent_before_hand_over: bool = True
    permit_is_fenced: bool = True
    """The server looks at the attempt number before it grants a permit."""
    void_needs_ticket: bool = True
    """A runner reports void only after it took the ticket itself."""
    void_survives_restart: bool = True
    """A runner that restarts and finds a void ticket reports void; it does not begin again."""
    dead_keeper_is_no_success: bool = True
    cancel_stops_at_permit: bool = True
    """"Cancelled" is answered only while no permit was granted."""
    leftovers_are_killed: bool = True
    """Before a runner reports a killed keeper's attempt as ended it kills what is left of the bot."""
    finish_is_fenced: bool = True
    """The server looks at the attempt number before it believes that a bot ended."""
    journal_survives_restart: bool = True
    """A runner that restarts finds the folders of its attempts."""
    restart_never_starts_again: bool = True
    """A runner that restarts starts no bot whose permit was handed over, also when it sees nothing of it."""
    lost_is_never_retried: bool = True
    """Contact that was lost does not bring another try, for nobody ends the bot that may still run."""
    retry_on_lost: bool = False
    """No rule but a policy, beside ``retries``: a lost task is tried again, for its keeper has fenced itself by then."""
    keeper_fences: bool = True
    """Where lost tasks are tried again, a keeper that nobody told of an answer ends its bot, or starts none, before
    the server gives the task away. Times are not in the model: that it comes first is what the lease's shares are for.
    What it cannot do when it was killed its runner does, which is alive or comes back within the margin."""
    retries: bool = False
    """No rule but a policy: a bot that was seen to fail is started again."""


class Task(IntEnum):
    QUEUED = 0
    LEASED = 1
    STARTING = 2
    RUNNING = 3
    LOST = 4
    SUCCEEDED = 5
    FAILED = 6
    CANCELLED = 7


FINAL = frozenset({Task.SUCCEEDED, Task.FAILED, Task.CANCELLED})
PERMITTED = frozenset({Task.STARTING, Task.RUNNING, Task.LOST})


class Phase(IntEnum):
    """What the runner process is doing with one attempt; it forgets this when it is killed."""

    NONE = 0
    JOURNALED = 1
    PREPARING = 2
    ASKING = 3
    PERMITTED = 4
    INTENDED = 5
    HANDED = 6
    """Only in a mutant: handed over, the intent not yet published."""
    FOLLOWING = 7
    VOIDING = 8
    HANDING_BACK = 9
    REPORTING = 10
    DROPPING = 11
    DEAD = 12
    DONE = 13
    """The folder is deleted. The server gives the work no second time: the attempt is over."""


class Keeper(IntEnum):
    NONE = 0
    PREPARING = 1
    READY = 2
    PERMITTED = 3
    TICKETED = 4
    LAUNCHED = 5
    ENDED = 6
    KILLED = 7


KEEPER_ALIVE = frozenset({Keeper.PREPARING, Keeper.READY, Keeper.PERMITTED, Keeper.TICKETED, Keeper.LAUNCHED})


class Ticket(IntEnum):
    FREE = 0
    KEEPER = 1
    VOID = 2


class Pipe(IntEnum):
    """The keeper's standard input. What was written stays readable when the writer dies."""

    OPEN = 0
    PERMIT = 1
    ENDED = 2


class Site(NamedTuple):
    phase: Phase = Phase.NONE
    intent: bool = False
    ticket: Ticket = Ticket.FREE
    exit: int = -1
    """-1: no exit published; 0: the bot ended well; 1: it did not."""
    keeper: Keeper = Keeper.NONE
    pipe: Pipe = Pipe.OPEN
    starts: int = 0
    bot_alive: bool = False
    sent: int = 0
    """Which messages to the server were ever sent, as bits."""
    permit_answered: bool = False
    """An answer is on its way to the call that waits. (An answer dies with its call; a message lives for ever.)"""
    permit_granted: bool = False
    void_accepted: bool = False
    fence_passed: bool = False
    ended_well: bool = False
    """What really happened, wherever it is written."""


ASK_PERMIT, STARTED, VOID, HAND_BACK, FINISH_WELL, FINISH_BADLY = (1 << bit for bit in range(6))


class State(NamedTuple):
    task: Task = Task.QUEUED
    attempt: int = 0
    stop_asked: bool = False
    cancelled_answered: bool = False
    results: int = 0
    sites: tuple[Site, ...] = ()


Move = tuple[str, State]


class Protocol:
    """All moves from a state. ``attempts`` bounds how often the task may be claimed."""

    def __init__(self, rules: Rules, attempts: int) -> None:
        self.rules = rules
        self.attempts = attempts

    def first(self) -> State:
        return State(sites=(Site(),) * self.attempts)

    def moves(self, state: State) -> Iterator[Move]:
        yield from self.server_moves(state)
        for number in range(1, state.attempt + 1):
            site = state.sites[number - 1]
            yield from self.arrivals(state, number, site)
            for name, after in self.site_moves(state, number, site):
                yield f"{name} {number}", put(state, number, after)

    def without_the_futile(self, state: State) -> State:
        """The same state without messages that the server will refuse for ever: fewer states to visit."""
        if not (self.rules.permit_is_fenced and self.rules.finish_is_fenced):
            return state
        for number, site in enumerate(state.sites, start=1):
            if site.sent and self.refused(state, number):
                state = put(state, number, site._replace(sent=0))
        return state

    # What the server does by itself, and what people ask of it.

    def server_moves(self, state: State) -> Iterator[Move]:
        if state.task is Task.QUEUED and state.attempt < self.attempts:
            number = state.attempt + 1
            leased = state._replace(task=Task.LEASED, attempt=number)
            yield f"claim {number}", leased
        if state.task is Task.LEASED:
            yield "lease ends", state._replace(task=Task.QUEUED)
        if state.task in {Task.STARTING, Task.RUNNING}:
            after = Task.LOST if self.rules.started_is_never_requeued else Task.QUEUED
            yield "lease ends", state._replace(task=after)
        if state.task is Task.LOST and self.may_retry(state) and not self.rules.lost_is_never_retried:
            yield "give up and try again", state._replace(task=Task.QUEUED)
        if state.task is Task.LOST and self.may_retry(state) and self.rules.retry_on_lost:
            site = self.fenced(state.sites[state.attempt - 1])
            yield "try again after the fence", put(state._replace(task=Task.QUEUED), state.attempt, site)
        may_cancel = {Task.QUEUED, Task.LEASED} | (set() if self.rules.cancel_stops_at_permit else {Task.STARTING})
        if state.task in may_cancel:
            yield "cancel", state._replace(task=Task.CANCELLED, cancelled_answered=True)
        elif state.task in PERMITTED and not state.stop_asked:
            yield "ask to stop", state._replace(stop_asked=True)

    # Messages that arrive at the server: whatever was sent once.

    def arrivals(self, state: State, number: int, site: Site) -> Iterator[Move]:
        current = state.attempt == number
        fenced_permit = current or not self.rules.permit_is_fenced
        if site.sent & ASK_PERMIT and fenced_permit and state.task in {Task.LEASED, Task.STARTING, Task.RUNNING}:
            task = Task.STARTING if state.task is Task.LEASED else state.task
            granted = site._replace(permit_answered=True, permit_granted=True)
            yield f"permit {number}", put(state._replace(task=task), number, granted)
        if site.sent & STARTED and current and state.task in {Task.STARTING, Task.LOST}:
            yield f"started {number}", state._replace(task=Task.RUNNING)
        if site.sent & VOID and current and state.task in {Task.LEASED, Task.STARTING, Task.LOST}:
            task = Task.CANCELLED if state.stop_asked else Task.QUEUED
            after = state._replace(task=task, cancelled_answered=state.stop_asked, stop_asked=False)
            yield f"void {number}", put(after, number, site._replace(void_accepted=True))
        if site.sent & HAND_BACK and current and state.task is Task.LEASED:
            yield f"hand back {number}", state._replace(task=Task.QUEUED)
        yield from self.finish_arrivals(state, number, site)

    def finish_arrivals(self, state: State, number: int, site: Site) -> Iterator[Move]:
        fenced = state.attempt == number or not self.rules.finish_is_fenced
        accepted = fenced and state.task in PERMITTED
        if accepted and site.sent & FINISH_BADLY and self.may_retry(state):
            yield f"finish {number} failed, try again", state._replace(task=Task.QUEUED)
            return
        for bit, task in ((FINISH_WELL, Task.SUCCEEDED), (FINISH_BADLY, Task.FAILED)):
            if accepted and site.sent & bit:
                yield f"finish {number} {task.name.lower()}", state._replace(task=task, results=state.results + 1)

    def may_retry(self, state: State) -> bool:
        return self.rules.retries and state.attempt < self.attempts and not state.stop_asked

    def fenced(self, site: Site) -> Site:
        """The attempt's machine once lease and margin have passed without an answer that its keeper heard of."""
        if not self.rules.keeper_fences:
            return site
        site = site._replace(fence_passed=True, bot_alive=False)
        if site.keeper in {Keeper.LAUNCHED, Keeper.TICKETED}:  # one that starts late is looked at right afterwards
            return site._replace(keeper=Keeper.ENDED, exit=1)
        return site

    def refused(self, state: State, number: int) -> bool:
        """The server says 409 to everything that this attempt sends, now and for ever."""
        return state.attempt != number or state.task in FINAL or state.task is Task.QUEUED

    # One attempt on its machine.

    def site_moves(self, state: State, number: int, site: Site) -> Iterator[tuple[str, Site]]:
        yield from self.keeper_moves(site)
        if site.phase is Phase.DEAD:
            yield from self.recovery(site)
            return
        if site.phase is Phase.NONE:
            yield "journal", site._replace(phase=Phase.JOURNALED)
            return
        if site.phase is Phase.DONE:
            return
        pipe = Pipe.ENDED if site.pipe is Pipe.OPEN else site.pipe
        yield "runner dies", site._replace(phase=Phase.DEAD, pipe=pipe)
        if site.phase < Phase.INTENDED:
            yield from self.before_intent(state, number, site)
        else:
            yield from self.after_intent(state, number, site)

    def before_intent(self, state: State, number: int, site: Site) -> Iterator[tuple[str, Site]]:
        if site.phase is Phase.JOURNALED:
            if site.keeper not in KEEPER_ALIVE:  # the lock makes a second keeper wait for the first
                yield "start keeper", site._replace(phase=Phase.PREPARING, keeper=Keeper.PREPARING, pipe=Pipe.OPEN)
        elif site.phase is Phase.PREPARING:
            if site.keeper is Keeper.READY and self.rules.runner_asks_permit:
                yield "ask permit", ask(site)
            elif site.keeper is Keeper.READY:
                yield "go without permit", site._replace(phase=Phase.PERMITTED, sent=site.sent | ASK_PERMIT)
            elif site.keeper not in KEEPER_ALIVE:
                yield "hand back", site._replace(phase=Phase.HANDING_BACK, sent=site.sent | HAND_BACK)
        elif site.phase is Phase.ASKING and site.permit_answered:
            yield "permit arrives", site._replace(phase=Phase.PERMITTED)
        elif site.phase is Phase.PERMITTED and self.rules.intent_before_hand_over:
            yield "publish intent", site._replace(phase=Phase.INTENDED, intent=True)
        elif site.phase is Phase.PERMITTED:
            yield "hand over", site._replace(phase=Phase.HANDED, pipe=Pipe.PERMIT)
        if site.phase is Phase.ASKING and self.refused(state, number):
            yield "drop", site._replace(phase=Phase.DROPPING, pipe=Pipe.ENDED)
        if site.phase in {Phase.PREPARING, Phase.ASKING, Phase.PERMITTED}:  # shut down, or asked to stop
            yield from self.make_void(site._replace(pipe=Pipe.ENDED))

    def after_intent(self, state: State, number: int, site: Site) -> Iterator[tuple[str, Site]]:
        if site.phase is Phase.INTENDED:
            yield "hand over", site._replace(phase=Phase.FOLLOWING, pipe=Pipe.PERMIT)
            yield from self.make_void(site)
        elif site.phase is Phase.HANDED:
            yield "publish intent", site._replace(phase=Phase.FOLLOWING, intent=True)
        elif site.phase is Phase.FOLLOWING:
            if site.starts and not site.sent & STARTED:
                yield "tell started", site._replace(sent=site.sent | STARTED)
            yield from self.look(site)
            if state.stop_asked and site.ticket is Ticket.FREE:
                yield from self.make_void(site)
        elif site.phase in {Phase.VOIDING, Phase.HANDING_BACK, Phase.REPORTING}:
            if self.refused(state, number):  # the acknowledgement, or the 409 that says the same
                yield "delete", forget(site)
        elif site.phase is Phase.DROPPING and site.keeper not in KEEPER_ALIVE:
            yield "delete", forget(site)

    def make_void(self, site: Site) -> Iterator[tuple[str, Site]]:
        if not self.rules.void_needs_ticket:
            yield "void blindly", site._replace(phase=Phase.VOIDING, sent=site.sent | VOID)
        elif site.ticket is not Ticket.KEEPER:
            yield "void", site._replace(phase=Phase.VOIDING, ticket=Ticket.VOID, sent=site.sent | VOID)

    def look(self, site: Site) -> Iterator[tuple[str, Site]]:
        """A runner looks at a folder whose permit was handed over: live, or after a restart."""
        if site.keeper in KEEPER_ALIVE:
            if site.phase is not Phase.FOLLOWING:
                yield "attach", site._replace(phase=Phase.FOLLOWING)
        elif site.exit >= 0:
            bit = FINISH_WELL if site.exit == 0 else FINISH_BADLY
            yield "report", site._replace(phase=Phase.REPORTING, sent=site.sent | bit)
        elif self.seems_unstarted(site):
            yield from self.make_void(site)
        else:
            bit = FINISH_BADLY if self.rules.dead_keeper_is_no_success else FINISH_WELL
            alive = site.bot_alive and not self.rules.leftovers_are_killed
            yield "report died", site._replace(phase=Phase.REPORTING, bot_alive=alive, exit=1, sent=site.sent | bit)

    def seems_unstarted(self, site: Site) -> bool:
        return site.ticket is not Ticket.KEEPER if self.rules.keeper_takes_ticket else not site.starts

    def recovery(self, site: Site) -> Iterator[tuple[str, Site]]:
        unseen = site.intent and site.exit < 0 and site.keeper not in KEEPER_ALIVE
        if not self.rules.journal_survives_restart:
            yield "restart, all forgotten", site._replace(phase=Phase.DONE, sent=0)
        elif unseen and not self.rules.restart_never_starts_again:
            yield "restart, start again", wiped(site)
        elif site.ticket is Ticket.VOID and self.rules.void_survives_restart:
            yield "restart, void", site._replace(phase=Phase.VOIDING, sent=site.sent | VOID)
        elif not site.intent:
            if site.keeper not in KEEPER_ALIVE:
                yield "restart, begin again", wiped(site)
        elif self.seems_unstarted(site):
            yield from self.make_void(site)
        else:
            yield from self.look(site)

    def keeper_moves(self, site: Site) -> Iterator[tuple[str, Site]]:
        keeper = site.keeper
        if keeper not in KEEPER_ALIVE:
            return
        yield "keeper dies", site._replace(keeper=Keeper.KILLED)
        if keeper is Keeper.PREPARING:
            yield "ready", site._replace(keeper=Keeper.READY)
        elif keeper is Keeper.READY and site.pipe is Pipe.PERMIT:
            yield "keeper reads permit", site._replace(keeper=Keeper.PERMITTED)
        elif keeper is Keeper.PERMITTED and not self.rules.keeper_takes_ticket:
            yield "go without ticket", site._replace(keeper=Keeper.TICKETED)
        elif keeper is Keeper.PERMITTED and site.ticket is Ticket.FREE and site.fence_passed:
            yield "find fence passed", site._replace(keeper=Keeper.ENDED, ticket=Ticket.VOID)
        elif keeper is Keeper.PERMITTED and site.ticket is Ticket.FREE:
            yield "take ticket", site._replace(keeper=Keeper.TICKETED, ticket=Ticket.KEEPER)
        elif keeper is Keeper.PERMITTED:
            yield "find ticket taken", site._replace(keeper=Keeper.ENDED)
        elif keeper is Keeper.TICKETED:
            yield "LAUNCH", site._replace(keeper=Keeper.LAUNCHED, starts=site.starts + 1, bot_alive=True)
        elif keeper is Keeper.LAUNCHED:
            for code in (0, 1):
                ended = site._replace(keeper=Keeper.ENDED, bot_alive=False, exit=code, ended_well=code == 0)
                yield f"bot ends {code}", ended
        if keeper in {Keeper.PREPARING, Keeper.READY} and site.pipe is Pipe.ENDED:
            yield "keeper lost its pipe", site._replace(keeper=Keeper.ENDED)


def put(state: State, number: int, site: Site) -> State:
    sites = (*state.sites[: number - 1], site, *state.sites[number:])
    return state._replace(sites=sites)


def ask(site: Site) -> Site:
    return site._replace(phase=Phase.ASKING, permit_answered=False, sent=site.sent | ASK_PERMIT)


def wiped(site: Site) -> Site:
    """The folder of an attempt whose permit was handed to nobody, ready for a new keeper."""
    return site._replace(
        phase=Phase.JOURNALED, intent=False, ticket=Ticket.FREE, exit=-1, keeper=Keeper.NONE, pipe=Pipe.OPEN
    )


def forget(site: Site) -> Site:
    """The folder is deleted; only what really happened stays."""
    return wiped(site)._replace(phase=Phase.DONE, sent=0)


def broken_promises(state: State, rules: Rules) -> Iterator[str]:
    starts = sum(site.starts for site in state.sites)
    if starts > (len(state.sites) if rules.retries else 1) or any(site.starts > 1 for site in state.sites):
        yield "the bot was started twice"
    if sum(site.bot_alive for site in state.sites) > 1:
        yield "two bots of the task ran at the same time"
    if state.cancelled_answered and (any(site.bot_alive for site in state.sites) if rules.retries else starts):
        yield "the bot of a cancelled task ran"
    if any(site.void_accepted and site.starts for site in state.sites):
        yield "an attempt was void and ran"
    if state.task is Task.SUCCEEDED and not state.sites[state.attempt - 1].ended_well:
        yield "success without a bot that ended well"
    if state.results > 1:
        yield "two results"
    if any(site.starts and not site.permit_granted for site in state.sites):
        yield "the bot ran without a permit"
    if state.task is Task.FAILED and any(site.bot_alive for site in state.sites):
        yield "the bot outlived its result"
