"""The whole move, in the order in which things need each other."""

from bottool.moving import things
from bottool.moving.origin import Origin
from bottool.moving.pools import pools
from bottool.moving.target import Journal, Target


def move(origin: Origin, target: Target, journal: Journal, *, values: bool) -> None:
    """Bring over what ``origin`` shows; what came of it is in ``target.told``."""
    things.bots(origin, target)
    things.automations(origin, target)
    things.schedules(origin, target)
    things.logs(origin, target)
    things.credentials(origin, target, values=values)
    pools(origin, target, journal)
