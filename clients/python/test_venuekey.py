"""Tests of venuekey.py: against a stand-in that answers as no agent should, and a real agent.

tests/clients starts the real one, and sets VENUEKEY_AGENT_SOCKET and VENUEKEY_TEST_ID.
"""

import asyncio
import http.server
import json
import os
import socket
import socketserver
import tempfile
import threading
import time
import unittest

import venuekey


def form(generation=1, life=3600.0, access="hush"):
    at = time.gmtime(time.time() + life)
    return {"id": "stage/alice", "access_token": f"{access}-{generation}", "token_type": "Bearer", "issued_at": "2026-01-02T03:04:05Z",
            "expires_at": time.strftime("%Y-%m-%dT%H:%M:%S", at) + ".123456789Z", "generation": generation,
            "headers": {"Authorization": f"Bearer {access}-{generation}", "X-Venue": "1"}}


class StandIn(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers each request with the next of its answers: a status and a body, or bytes as they stand."""

    daemon_threads = True

    def __init__(self, path, answers):
        self.answers, self.seen = list(answers), []
        super().__init__(path, Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def handle_error(self, *_):
        pass  # a client that has gone


class Handler(http.server.BaseHTTPRequestHandler):
    def handle_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.server.seen.append((self.command, self.path, self.rfile.read(length), dict(self.headers)))
        answer = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        if isinstance(answer, bytes):
            self.wfile.write(answer)
            self.close_connection = True
            return
        status, body = answer
        text = json.dumps(body).encode() if status != 304 else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = handle_request

    def address_string(self):
        return "unix"

    def log_message(self, *args):
        pass


class WithAStandIn(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "s")
        self.stand_in = None

    def tearDown(self):
        self.end()
        self.folder.cleanup()

    def begin(self, *answers):
        self.stand_in = StandIn(self.path, answers)
        return venuekey.Agent(self.path)

    def end(self):
        if self.stand_in:
            self.stand_in.shutdown()
            self.stand_in.server_close()
            if os.path.exists(self.path):
                os.unlink(self.path)
            self.stand_in = None

    def test_a_token_is_kept_and_shows_no_secret(self):
        agent = self.begin((200, form()))
        token = agent.token("stage/alice")
        self.assertIs(agent.token("stage/alice"), token)
        self.assertEqual(len(self.stand_in.seen), 1)
        self.assertEqual(token.headers["X-Venue"], "1")
        self.assertAlmostEqual(token.expires_in, 3600, delta=5)
        for text in (repr(token), str(token), repr(agent), repr(token.headers), repr([token.access_token])):
            self.assertNotIn("hush", text)

    @unittest.skipUnless(hasattr(socket, "SO_PEERCRED"), "the kernel does not say who listens")
    def test_a_socket_of_another_user_is_told_nothing(self):
        agent = self.begin((200, form()))
        self.addCleanup(setattr, venuekey, "_trusts", venuekey._trusts)
        asked = []
        venuekey._trusts = lambda user: asked.append(user)
        began = time.monotonic()
        for ask in (lambda: agent.token("stage/alice"), lambda: agent.refused("stage/alice", "hush"), lambda: next(agent.events())):
            with self.assertRaises(venuekey.Error) as raised:
                ask()
            self.assertEqual((raised.exception.kind, raised.exception.temporary), ("misconfigured", False))
            self.assertIn("listens at " + self.path, str(raised.exception))
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual((asked, self.stand_in.seen), ([os.geteuid()] * 3, []))

    def test_many_threads_ask_once(self):
        agent = self.begin((200, form()))
        threads = [threading.Thread(target=agent.token, args=("stage/alice",)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(self.stand_in.seen), 1)

    def test_answers_that_no_agent_gives(self):
        for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", b"garbage\r\n\r\n", (200, {"id": 1}), (200, []), (200, form() | {"headers": 1}),
                       (500, "?"), (503, {"error": {"class": "later"}}), (404, {"error": []})):
            with self.subTest(answer=answer):
                agent = self.begin(answer)
                venuekey.PATIENCE = 0.05
                with self.assertRaises(venuekey.Error) as caught:
                    agent.token("stage/alice")
                self.assertNotIn("hush", str(caught.exception))
                self.end()

    def test_errors_say_what_to_do(self):
        agent = self.begin((409, {"error": {"class": "refused", "id": "stage/alice", "reason": "not signed in", "remedy": "venuekey login"}}),
                           (503, {"error": {"class": "later", "reason": "busy", "retry_after": 7.5}}), (500, {"error": {"class": "asleep", "reason": "zzz"}}))
        with self.assertRaises(venuekey.Error) as caught:
            agent.token("stage/alice")
        self.assertTrue(caught.exception.needs_sign_in)
        self.assertEqual(str(caught.exception), "stage/alice: not signed in; try: venuekey login")
        with self.assertRaises(venuekey.Error) as caught:
            agent.token("stage/alice")
        self.assertTrue(caught.exception.temporary)
        self.assertEqual(caught.exception.retry_after, 7.5)
        with self.assertRaises(venuekey.Error) as caught:
            agent.token("stage/alice")
        self.assertEqual((caught.exception.kind, caught.exception.temporary), ("asleep", False))
        with self.assertRaises(venuekey.Error):
            agent.token("alice")

    def test_an_agent_that_is_away(self):
        venuekey.PATIENCE = 0.2
        agent = self.begin((200, form()))
        token = agent.token("stage/alice")
        self.end()
        agent._tokens["stage/alice"] = (token, 0.0)
        self.assertIs(agent.token("stage/alice"), token)
        with self.assertRaises(venuekey.Error) as caught:
            agent.token("stage/bob")
        self.assertEqual((caught.exception.kind, caught.exception.remedy), ("not-sent", "venuekey agent"))
        venuekey.PATIENCE = 5.0
        threading.Timer(0.1, lambda: self.begin((200, form(2)))).start()
        self.assertEqual(agent.wait_newer("stage/alice", 1).generation, 2)

    def test_a_wait_that_ends(self):
        agent = self.begin((304, None))
        self.assertIsNone(agent.wait_newer("stage/alice", 1, timeout=0.05))

    def test_events_that_are_cut(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        one = b': hello\n\nid: a-1\nevent: rotated\ndata: {"kind":"rotated","id":"stage/alice","generation":2,"new":1}\n\n'
        agent = self.begin(head + one + b"id: a-2\ndata: {\"kind\":\"chang", head + b'data: nonsense\n\nid: a-3\ndata: {"kind":"reset"}\n\n', head)
        events = agent.events("stage/alice")
        self.assertEqual(next(events).generation, 2)
        self.assertEqual(next(events).kind, "reset")
        self.assertEqual(self.stand_in.seen[1][3]["Last-Event-ID"], "a-1")
        self.assertIn("id=stage%2Falice", self.stand_in.seen[0][1])

    def test_a_refusal_repeats_what_may_be_repeated(self):
        agent = self.begin((200, form(1)), (200, form(2)))

        class Request:
            method, headers = "GET", {}

        class Response:
            status_code = 401

        for method, sent in (("GET", 2), ("POST", 1)):
            agent._tokens.clear()
            self.stand_in.answers = [(200, form(1)), (200, form(2))]
            request = Request()
            request.method, request.headers = method, {}
            flow = agent.auth("stage/alice").sync_auth_flow(request)
            requests = [dict(next(flow).headers)]
            try:
                requests.append(dict(flow.send(Response()).headers))
            except StopIteration:
                pass
            self.assertEqual([r["Authorization"] for r in requests], ["Bearer hush-1", "Bearer hush-2"][:sent])
        self.assertEqual(json.loads(self.stand_in.seen[-1][2]), {"access_token": "hush-1"})


@unittest.skipUnless(os.environ.get("VENUEKEY_TEST_ID"), "no agent runs: tests/clients starts one")
class WithAnAgent(unittest.TestCase):
    id = os.environ.get("VENUEKEY_TEST_ID", "")

    def test_all_calls(self):
        agent = venuekey.Agent()
        token = agent.token(self.id)
        self.assertGreater(token.expires_in, 0)
        newer = []
        waiting = threading.Thread(target=lambda: newer.append(agent.wait_newer(self.id, token.generation, timeout=20)))
        waiting.start()
        rotated = agent.refresh(self.id)
        waiting.join()
        self.assertEqual((newer[0].access_token, newer[0].generation), (rotated.access_token, token.generation + 1))
        self.assertEqual(agent.refused(self.id, token.access_token).access_token, rotated.access_token)
        self.assertIn(self.id, [one["id"] for one in agent.signins()])
        with self.assertRaises(venuekey.Error) as caught:
            agent.token("ctrader/nobody")
        self.assertTrue(caught.exception.needs_sign_in)

    def test_events_and_asyncio(self):
        async def story():
            agent = venuekey.AsyncAgent()
            events = agent.events(self.id)
            self.assertEqual((await events.__anext__()).kind, "found")
            token, again = await asyncio.gather(agent.token(self.id), agent.token(self.id))
            self.assertEqual(token.access_token, again.access_token)
            await agent.refresh(self.id)
            kinds = [(await events.__anext__()).kind]
            while kinds[-1] != "rotated":
                kinds.append((await events.__anext__()).kind)
            await events.aclose()
            self.assertIsNone(await agent.wait_newer(self.id, token.generation + 100, timeout=0.05))
            self.assertTrue(await agent.signins())

        asyncio.run(asyncio.wait_for(story(), 60))


if __name__ == "__main__":
    unittest.main()
