"""The first page: what runs, what waits, what failed, and which runners are there."""

from bottool_web.actions import runners as runner_actions
from bottool_web.actions import tasks as task_actions
from bottool_web.actions.site import Site
from bottool_web.pages.frame import Answer, blueprint, page, show
from bottool_web.store.scope import Principal

RUNNING = ("leased", "starting", "running", "stopping", "lost")
WAITING = ("queued", "scheduled")
FAILED = ("failed", "timed_out", "expired", "lost")


@blueprint.get("/")
@page("task.read")
def home(site: Site, who: Principal) -> Answer:
    counts = task_actions.count_by_state(site, who)
    return show(
        "home.html",
        who,
        counts=counts,
        running_count=sum(counts.get(state, 0) for state in RUNNING),
        waiting_count=sum(counts.get(state, 0) for state in WAITING),
        failed_count=sum(counts.get(state, 0) for state in FAILED),
        running=task_actions.list_tasks(site, who, states=RUNNING, limit=10),
        waiting=task_actions.list_tasks(site, who, states=WAITING, limit=10),
        failed=task_actions.list_tasks(site, who, states=FAILED, limit=10),
        latest=task_actions.list_tasks(site, who, limit=10),
        runners=runner_actions.list_runners(site, who),
        states={"running": RUNNING, "waiting": WAITING, "failed": FAILED},
    )
