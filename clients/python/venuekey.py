"""Tokens of trading venues from a venuekey agent, in one file and without dependencies.

The agent (``venuekey agent``) keeps the sign-ins of a user fresh; this hands their tokens to a
program. Copy the file into yours. Python 3.9 or later::

    import venuekey

    agent = venuekey.Agent()
    token = agent.token("ctrader/alice")            # good now; kept until shortly before it is not
    call(headers=token.headers)                     # Authorization, and what else the venue wants

    requests.get(url, auth=agent.auth("ttp/alice"))  # httpx takes it too

    for event in agent.events("ctrader/alice"):     # what happens, as it happens
        print(event.kind, event.reason, event.remedy)

``AsyncAgent`` is the same for asyncio. Errors are ``venuekey.Error``; ``needs_sign_in`` and
``temporary`` say what to do. A token prints without its secret.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import functools
import http.client
import json
import os
import random
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse
from typing import Any, AsyncIterator, Dict, Iterator, List, Optional, Tuple

__all__ = ["Agent", "AsyncAgent", "Error", "Event", "Token"]

#: How long a call may take, in seconds. One that waits for a newer token takes longer.
TIMEOUT = 60.0
#: How long before its end a token is asked for anew, in seconds.
MARGIN = 30.0
#: How long a token is kept without asking the agent, in seconds: a renewal is seen within that time.
RECHECK = 1.0
#: How long an agent that is away is waited for, in seconds.
PATIENCE = 10.0
#: The longest answer that is read, in bytes.
MOST = 64 << 20


class Error(Exception):
    """What an agent says instead of a token.

    ``kind`` is one of unknown, refused, misconfigured, not-sent, later, damaged, failed and
    declined, or a word of a later version; ``retry_after`` is in seconds, 0 if it is not known.
    """

    def __init__(self, kind: str, reason: str, *, id: str = "", remedy: str = "", retry_after: float = 0, code: str = "",
                 scopes: Optional[List[str]] = None, status: int = 0) -> None:
        super().__init__(f"{id + ': ' if id else ''}{reason}{'; try: ' + remedy if remedy else ''}")
        self.kind, self.reason, self.id, self.remedy = kind, reason, id, remedy
        self.retry_after, self.code, self.scopes, self.status = retry_after, code, scopes or [], status

    @property
    def needs_sign_in(self) -> bool:
        """Whether a person has to sign in."""
        return self.kind == "refused"

    @property
    def temporary(self) -> bool:
        """Whether the same call may succeed later."""
        return self.kind in ("later", "not-sent", "unknown")


class _Secret(str):
    """A text that prints without what it says."""

    def __repr__(self) -> str:
        return "'[secret]'"


@dataclasses.dataclass(frozen=True)
class Token:
    """A token of a sign-in. ``access_token`` and ``headers`` are what nobody else may see."""

    id: str
    access_token: str = dataclasses.field(repr=False)
    token_type: str
    expires_at: datetime.datetime
    generation: int
    headers: Dict[str, str] = dataclasses.field(repr=False)
    state: str = ""
    scopes: Tuple[str, ...] = ()
    user: str = ""
    extras: Dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def expires_in(self) -> float:
        """Seconds until it expires; negative if it has."""
        return self.expires_at.timestamp() - time.time()

    def __str__(self) -> str:
        return f"Token({self.id}, generation {self.generation}, expires {self.expires_at.isoformat()})"


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened to a sign-in.

    ``kind`` is found, signed_in, rotated, changed, warning, trouble, recovered, signed_out, or
    reset: events are missing, and what is known of every sign-in follows.
    """

    kind: str
    id: str = ""
    state: str = ""
    before: str = ""
    reason: str = ""
    remedy: str = ""
    generation: int = 0
    at: str = ""
    expires_at: str = ""


def socket_path() -> str:
    """Where the agent's socket is: VENUEKEY_AGENT_SOCKET, or what ``venuekey agent --where`` says."""
    path = os.environ.get("VENUEKEY_AGENT_SOCKET", "")
    if path:
        return path
    try:
        said = subprocess.run(["venuekey", "agent", "--where"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        raise Error("misconfigured", "the agent's socket is not known", remedy="set VENUEKEY_AGENT_SOCKET to what venuekey agent --where prints") from None
    return said.stdout.strip()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("agent", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)
        user = _listener(self.sock)
        if user is not None and not _trusts(user):
            raise Error("misconfigured", f"user {user} listens at {self.path}, and this is user {os.geteuid()}",
                        remedy="unset VENUEKEY_AGENT_SOCKET, or run as the user whose agent it is")


def _listener(sock: socket.socket) -> Optional[int]:
    """Whose process listens at the other end, by the kernel's word; None where it does not say."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    return struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))[1]


def _trusts(user: int) -> bool:
    """Whether a user is this one, or root, which has another number inside a user namespace."""
    return user in (os.geteuid(), 0, os.stat("/").st_uid)


class Agent:
    """Asks an agent. Any number of threads may use one.

    ``socket`` is the path of its socket; None finds it. ``url`` (https://host:port) and
    ``consumer`` are for an agent elsewhere, with the token that ``venuekey consumer add`` printed.
    """

    def __init__(self, socket: Optional[str] = None, *, url: str = "", consumer: str = "", context: Optional[ssl.SSLContext] = None,
                 timeout: float = TIMEOUT) -> None:
        self._url = urllib.parse.urlsplit(url)
        if url and (self._url.scheme != "https" or not self._url.hostname):
            raise ValueError("url begins with https://")
        self._path = "" if url else (socket or socket_path())
        self._consumer, self._context, self._timeout = _Secret(consumer), context, timeout
        self._tokens: Dict[str, Tuple[Token, float]] = {}
        self._locks: Dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Agent({self._path or self._url.netloc})"

    def token(self, id: str) -> Token:
        """A good token of a sign-in, renewed first if it is due.

        While the agent is away the last one is returned until it expires. Raises Error.
        """
        kept = self._kept(id)
        if kept is not None:
            return kept
        with self._lock_of(id):  # one asks, and the others get its answer
            kept = self._kept(id)
            if kept is not None:
                return kept
            try:
                return self._keep(self._patiently("GET", _path("token", id), idempotent=True))
            except Error as err:
                last = self._tokens.get(id)
                if last is not None and err.kind in ("not-sent", "later") and err.status == 0 and last[0].expires_in > 0:
                    return last[0]
                raise

    def wait_newer(self, id: str, generation: int, timeout: Optional[float] = None) -> Optional[Token]:
        """A token of a later generation, as soon as there is one.

        Waits for ``timeout`` seconds, or for ever; None means that there is none yet.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            wait = 30.0 if end is None else max(0.0, min(30.0, end - time.monotonic()))
            query = urllib.parse.urlencode({"newer_than": generation, "wait": f"{wait:.3f}s"})
            answer = self._patiently("GET", f"{_path('token', id)}?{query}", idempotent=True, longer=wait)
            if answer is not None:
                return self._keep(answer)
            if end is not None and time.monotonic() >= end:
                return None

    def refused(self, id: str, access_token: str) -> Token:
        """Another token, for one that the venue did not accept. Raises Error if there is none."""
        self._tokens.pop(id, None)
        return self._keep(self._ask("POST", _path("token", id) + "/refused", {"access_token": str(access_token)}))

    def refresh(self, id: str) -> Token:
        """Renews a token now. It is rarely needed: ``token`` renews what is due."""
        return self._keep(self._ask("POST", _path("signins", id) + "/refresh", {}))

    def signins(self) -> List[Dict[str, Any]]:
        """The status of every sign-in, as the agent's openapi.json has it."""
        answer = self._patiently("GET", "/v1/signins", idempotent=True)
        return list(answer["signins"])

    def events(self, *ids: str) -> Iterator[Event]:
        """What happens to sign-ins, for ever: what is known of each first, of kind found.

        Comes back after the agent was away, and goes on where it was.
        """
        query = "?" + urllib.parse.urlencode([("id", id) for id in ids]) if ids else ""
        last, pause = "", 0.1
        while True:
            try:
                for number, event in self._stream("/v1/events" + query, last):
                    last, pause = number, 0.1
                    yield event
            except Error as err:
                if not err.temporary:
                    raise
            time.sleep(pause * (0.5 + random.random()))
            pause = min(2 * pause, 5.0)

    def auth(self, id: str) -> "_Auth":
        """Signs the requests of requests (``auth=``) and of httpx.

        A request that is answered with 401 has its token reported. It is repeated once, with
        another token, if it is a GET, a HEAD or an OPTIONS; nothing else is ever sent twice.
        """
        return _Auth(self, id)

    def _kept(self, id: str) -> Optional[Token]:
        kept = self._tokens.get(id)
        if kept is not None and time.monotonic() < kept[1] and kept[0].expires_in > 0:
            return kept[0]
        return None

    def _keep(self, answer: Any) -> Token:
        token = _token(answer)
        self._tokens[token.id] = (token, time.monotonic() + min(RECHECK, max(0.0, token.expires_in - MARGIN)))
        return token

    def _lock_of(self, id: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(id, threading.Lock())

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if self._path:
            return _UnixConnection(self._path, timeout)
        return http.client.HTTPSConnection(self._url.hostname or "", self._url.port, timeout=timeout, context=self._context)

    def _headers(self) -> Dict[str, str]:
        return {"Authorization": "Bearer " + str.__str__(self._consumer)} if self._consumer else {}

    def _patiently(self, method: str, path: str, *, idempotent: bool, longer: float = 0) -> Any:
        """Asks until the agent is there, for PATIENCE seconds."""
        end, pause = time.monotonic() + PATIENCE, 0.05
        while True:
            try:
                return self._ask(method, path, None, longer)
            except Error as err:
                if err.status != 0 or not err.temporary or not idempotent or time.monotonic() + pause > end:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _ask(self, method: str, path: str, body: Any, longer: float = 0) -> Any:
        """The answer to a call, None for one without content. Raises Error."""
        connection = self._connect(self._timeout + longer)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, self._headers())
            response = connection.getresponse()
            content = response.read(MOST)
            status = response.status
        except (OSError, http.client.HTTPException) as err:
            raise _away(self, err) from None
        finally:
            connection.close()
        if status in (204, 304):
            return None
        return _answer(status, content)

    def _stream(self, path: str, last: str) -> Iterator[Tuple[str, Event]]:
        headers = self._headers()
        if last:
            headers["Last-Event-ID"] = last
        connection = self._connect(45.0)  # a comment comes every 15 seconds
        try:
            connection.request("GET", path, None, headers)
            response = connection.getresponse()
            if response.status != 200:
                _answer(response.status, response.read(MOST))
            reader = _Events()
            while True:
                line = response.readline(1 << 20)
                if not line.endswith(b"\n"):
                    return
                found = reader.line(line)
                if found is not None:
                    yield found
        except (OSError, http.client.HTTPException) as err:
            raise _away(self, err) from None
        finally:
            connection.close()


class _Events:
    """Reads server-sent events, line by line."""

    def __init__(self) -> None:
        self.number, self.data = "", ""

    def line(self, raw: bytes) -> Optional[Tuple[str, Event]]:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if line == "":
            data, self.data = self.data, ""
            event = _event(data) if data else None
            return (self.number, event) if event is not None else None
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "id":
            self.number = value
        elif field == "data":
            self.data = value
        return None


class _Auth:
    """Signs requests; see Agent.auth."""

    requires_response_body = False

    def __init__(self, agent: Agent, id: str) -> None:
        self._agent, self._id = agent, id

    def __repr__(self) -> str:
        return f"Auth({self._id})"

    # requests calls an auth with the prepared request.
    def __call__(self, request: Any) -> Any:
        token = self._agent.token(self._id)
        request.headers.update(token.headers)
        request.register_hook("response", functools.partial(self._again, token))
        return request

    def _again(self, token: Token, response: Any, **options: Any) -> Any:
        if response.status_code != 401 or getattr(response, "_venuekey", False):
            return response
        newer = self._newer(token)
        if newer is None or response.request.method not in ("GET", "HEAD", "OPTIONS"):
            return response
        response.content  # so that the connection can be used again
        response.close()
        request = response.request.copy()
        request.headers.update(newer.headers)
        second = response.connection.send(request, **options)
        second._venuekey = True
        second.history.append(response)
        second.request = request
        return second

    # httpx drives these.
    def sync_auth_flow(self, request: Any) -> Iterator[Any]:
        token = self._agent.token(self._id)
        request.headers.update(token.headers)
        response = yield request
        if response.status_code == 401:
            newer = self._newer(token)
            if newer is not None and request.method in ("GET", "HEAD", "OPTIONS"):
                request.headers.update(newer.headers)
                yield request

    async def async_auth_flow(self, request: Any) -> AsyncIterator[Any]:
        loop = asyncio.get_running_loop()
        token = await loop.run_in_executor(None, self._agent.token, self._id)
        request.headers.update(token.headers)
        response = yield request
        if response.status_code == 401:
            newer = await loop.run_in_executor(None, self._newer, token)
            if newer is not None and request.method in ("GET", "HEAD", "OPTIONS"):
                request.headers.update(newer.headers)
                yield request

    def _newer(self, token: Token) -> Optional[Token]:
        try:
            newer = self._agent.refused(self._id, token.access_token)
        except Error:
            return None  # the venue's own refusal says more
        return newer if newer.access_token != token.access_token else None


class AsyncAgent:
    """Agent for asyncio: the same calls, awaited. They run in the loop's threads."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.sync = Agent(*args, **options)

    def __repr__(self) -> str:
        return f"Async{self.sync!r}"

    async def token(self, id: str) -> Token:
        """See Agent.token."""
        kept = self.sync._kept(id)
        return kept if kept is not None else await self._run(self.sync.token, id)

    async def wait_newer(self, id: str, generation: int, timeout: Optional[float] = None) -> Optional[Token]:
        """See Agent.wait_newer. Waits in short steps, so that it can be cancelled."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            step = 2.0 if end is None else max(0.0, min(2.0, end - time.monotonic()))
            newer = await self._run(self.sync.wait_newer, id, generation, step)
            if newer is not None or end is not None and time.monotonic() >= end:
                return newer

    async def refused(self, id: str, access_token: str) -> Token:
        """See Agent.refused."""
        return await self._run(self.sync.refused, id, access_token)

    async def refresh(self, id: str) -> Token:
        """See Agent.refresh."""
        return await self._run(self.sync.refresh, id)

    async def signins(self) -> List[Dict[str, Any]]:
        """See Agent.signins."""
        return await self._run(self.sync.signins)

    async def events(self, *ids: str) -> AsyncIterator[Event]:
        """See Agent.events."""
        loop = asyncio.get_running_loop()
        queue: "asyncio.Queue[Any]" = asyncio.Queue()
        left = threading.Event()

        def read() -> None:
            try:
                for event in self.sync.events(*ids):
                    if left.is_set():
                        return
                    loop.call_soon_threadsafe(queue.put_nowait, event)
            except BaseException as err:  # told to the one who reads
                if not left.is_set():
                    loop.call_soon_threadsafe(queue.put_nowait, err)

        threading.Thread(target=read, daemon=True).start()
        try:
            while True:
                event = await queue.get()
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            left.set()

    @staticmethod
    async def _run(call: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, functools.partial(call, *args))


def _path(kind: str, id: str) -> str:
    venue, slash, name = id.partition("/")
    if not slash or not venue or not name:
        raise Error("declined", "an ID is a venue and a name, as in ctrader/alice", id=id)
    return f"/v1/{kind}/{urllib.parse.quote(venue, safe='')}/{urllib.parse.quote(name, safe='')}"


def _time(text: str) -> datetime.datetime:
    # fromisoformat of Python 3.9 takes neither Z nor nanoseconds.
    head, _, rest = text.rstrip("Z").partition(".")
    whole = datetime.datetime.fromisoformat(head).replace(tzinfo=datetime.timezone.utc)
    return whole + datetime.timedelta(microseconds=int((rest + "000000")[:6]) if rest else 0)


def _token(answer: Any) -> Token:
    try:
        return Token(id=answer["id"], access_token=_Secret(answer["access_token"]), token_type=answer["token_type"], expires_at=_time(answer["expires_at"]),
                     generation=int(answer["generation"]), headers={k: _Secret(v) for k, v in answer["headers"].items()}, state=answer.get("state", ""),
                     scopes=tuple(answer.get("scopes") or ()), user=answer.get("user", ""), extras=answer.get("extras") or {})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Error("failed", "the agent's answer is no token") from None


def _event(data: str) -> Optional[Event]:
    try:
        form = json.loads(data)
        known = {f.name for f in dataclasses.fields(Event)}
        return Event(**{k: v for k, v in form.items() if k in known})
    except (ValueError, TypeError, AttributeError):
        return None


def _answer(status: int, content: bytes) -> Any:
    try:
        answer = json.loads(content)
        if status == 200:
            return answer
        said = answer["error"]
        raise Error(str(said["class"]), str(said["reason"]), id=said.get("id", ""), remedy=said.get("remedy", ""), code=said.get("code", ""),
                    retry_after=float(said.get("retry_after", 0)), scopes=said.get("scopes"), status=status)
    except (KeyError, TypeError, ValueError):
        raise Error("failed", f"the agent answered with status {status}, and not as an agent does", status=status) from None


def _away(agent: Agent, err: BaseException) -> Error:
    if isinstance(err, (FileNotFoundError, ConnectionRefusedError)):
        return Error("not-sent", f"no agent runs at {agent._path or agent._url.netloc}", remedy="venuekey agent")
    return Error("later", f"the agent did not answer ({type(err).__name__})")
