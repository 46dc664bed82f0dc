"""The routes of ``/runner/v1``: parse, one action, answer. ``sync`` is the one that is held."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bottool import wire
from bottool_web.actions import attempts, evidence, identity, limits, output, runners
from bottool_web.actions.site import Site
from bottool_web.gateway.holding import Holding
from bottool_web.gateway.http import Request
from bottool_web.store.scope import Principal

_ATTEMPT = re.compile(r"/runner/v1/tasks/([0-9]{1,10})/attempts/([0-9]{1,9})/([a-z-]+)")
Handle = Callable[[Request], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerRoutes:
    """What runners call. ``find`` gives the function for a method and a path, ``None`` where there is none."""

    site: Site
    holding: Holding = field(repr=False)

    def find(self, method: str, path: str) -> Handle | None:
        whole = {("POST", "/runner/v1/register"): self.register, ("POST", "/runner/v1/sync"): self.sync}
        if (method, path) in whole:
            return whole[method, path]
        matched = _ATTEMPT.fullmatch(path)
        of_attempt = {
            ("GET", "package"): self.package,
            ("POST", "permit"): self.permit,
            ("POST", "started"): self.started,
            ("POST", "limit"): self.limit,
            ("POST", "void"): self.void,
            ("POST", "hand-back"): self.hand_back,
            ("POST", "output"): self.output,
            ("POST", "finish"): self.finish,
            ("POST", "equipment"): self.equipment,
            ("POST", "evidence"): self.evidence,
            ("POST", "screenshot"): self.screenshot,
        }
        if matched is None or (method, matched[3]) not in of_attempt:
            return None
        action, task_id, number = of_attempt[method, matched[3]], int(matched[1]), int(matched[2])
        return lambda request: action(request, task_id, number)

    async def _who(self, request: Request) -> Principal:
        token = request.bearer()
        return await request.run(lambda: identity.principal_of_token(self.site, token))

    async def register(self, request: Request) -> None:
        given = await request.json(wire.Register)
        await request.answer(await request.run(lambda: runners.register(self.site, given, request.address)))

    async def sync(self, request: Request) -> None:
        who = await self._who(request)
        said = await request.json(wire.Sync)
        await request.answer(await self.holding.sync(request, who, said))

    async def package(self, request: Request, task_id: int, number: int) -> None:
        who = await self._who(request)
        path, sha256 = await request.run(lambda: attempts.package_file(self.site, who, task_id, number))
        await request.answer_file(path, sha256)

    async def permit(self, request: Request, task_id: int, number: int) -> None:
        who = await self._who(request)
        await request.answer(await request.run(lambda: attempts.permit(self.site, who, task_id, number)))

    async def started(self, request: Request, task_id: int, number: int) -> None:
        who = await self._who(request)
        start = await request.json(wire.Started)
        await request.run(lambda: attempts.started(self.site, who, task_id, number, start))
        await request.answer({})

    async def limit(self, request: Request, task_id: int, number: int) -> None:
        who = await self._who(request)
        said = await request.json(wire.LimitReached)
        await request.run(lambda: limits.limit_reached(self.site, who, task_id, number, said))
        await request.answer({})

    async def void(self, request: Request, task_id: int, number: int) -> None:
        who = await self._who(request)
        await request.run(lambda: attempts.void(self.site, who, task_id, number))
        await request.answer({})

    async def hand_back(self, request: Request, task_id: int, number: int) -> None:
        who = await self._who(request)
        given = await request.json(wire.HandBack)
        await request.run(lambda: attempts.hand_back(self.site, who, task_id, number, given))
        await request.answer({})

    async def output(self, request: Request, task_id: int, number: int) -> None:
        """The body is frames, ``?offset=`` says where in the spool they begin."""
        who = await self._who(request)
        offset = request.whole_number("offset")
        data = await request.body(output.PIECE_LIMIT_BYTES)
        await request.answer(
            await request.run(lambda: attempts.append_output(self.site, who, task_id, number, offset, data))
        )

    async def finish(self, request: Request, task_id: int, number: int) -> None:
        who = await self._who(request)
        ended = await request.json(wire.Ended)
        await request.answer(await request.run(lambda: attempts.finish(self.site, who, task_id, number, ended)))

    async def equipment(self, request: Request, task_id: int, number: int) -> None:
        who = await self._who(request)
        told = await request.json(wire.NewEquipment)
        await request.run(lambda: attempts.tell_equipment(self.site, who, task_id, number, told))
        await request.answer({})

    async def evidence(self, request: Request, task_id: int, number: int) -> None:
        who = await self._who(request)
        told = await request.json(wire.AttemptEvidence)
        await request.run(lambda: attempts.tell_evidence(self.site, who, task_id, number, told))
        await request.answer({})

    async def screenshot(self, request: Request, task_id: int, number: int) -> None:
        """The body is the PNG file."""
        who = await self._who(request)
        png = await request.body(evidence.PICTURE_LIMIT_BYTES)
        await request.run(lambda: attempts.tell_picture(self.site, who, task_id, number, png))
        await request.answer({})
