// Tests of venuekey.mjs: against a stand-in that answers as no agent should, and a real agent.
//
// tests/clients starts the real one, and sets VENUEKEY_AGENT_SOCKET and VENUEKEY_TEST_ID.

import assert from "node:assert/strict";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { inspect } from "node:util";

import { Agent, VenuekeyError } from "./venuekey.mjs";

const form = (generation = 1, life = 3600_000) => ({
	id: "stage/alice", access_token: `hush-${generation}`, token_type: "Bearer", issued_at: "2026-01-02T03:04:05Z",
	expires_at: new Date(Date.now() + life).toISOString(), generation, headers: { Authorization: `Bearer hush-${generation}`, "X-Venue": "1" },
});

describe("with a stand-in", () => {
	let folder, socket, server, answers, seen;

	// Each request gets the next answer: [status, body], or text as it stands on the wire.
	const begin = async (...list) => {
		[answers, seen] = [list, []];
		server = http.createServer(async (request, response) => {
			let body = "";
			for await (const chunk of request) body += chunk;
			seen.push({ method: request.method, url: request.url, headers: request.headers, body });
			const answer = answers.length > 1 ? answers.shift() : answers[0];
			if (typeof answer === "string") {
				response.socket.end(answer);
				return;
			}
			const text = answer[0] === 304 ? "" : JSON.stringify(answer[1]);
			response.writeHead(answer[0], { "Content-Length": Buffer.byteLength(text) }).end(text);
		});
		await new Promise((resolve) => server.listen(socket, resolve));
		return new Agent({ socket });
	};
	const end = async () => {
		if (!server) return;
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
		server = undefined;
	};
	const thrown = async (promise) => {
		const err = await promise.then(() => assert.fail("nothing was thrown"), (err) => err);
		assert.ok(err instanceof VenuekeyError, inspect(err));
		return err;
	};
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), "vk-"));
		socket = join(folder, "s");
	});
	afterEach(async () => {
		await end();
		rmSync(folder, { recursive: true });
	});

	it("keeps a token, asks once for many, and shows no secret", async () => {
		const agent = await begin([200, form()]);
		const tokens = await Promise.all(Array.from({ length: 20 }, () => agent.token("stage/alice")));
		assert.equal(await agent.token("stage/alice"), tokens[0]);
		assert.equal(seen.length, 1);
		assert.equal(tokens[0].headers["X-Venue"], "1");
		for (const text of [inspect(tokens[0]), String(tokens[0]), JSON.stringify(tokens[0]), inspect(agent, { showHidden: true })]) assert.ok(!text.includes("hush"), text);
	});

	it("tells a socket of another user nothing", { skip: process.geteuid?.() !== 0 && "a second user needs root" }, async () => {
		const agent = await begin([200, form()]);
		chownSync(socket, 65534, 65534);
		for (const ask of [() => agent.token("stage/alice"), () => agent.refused("stage/alice", "hush"), () => agent.events().next()]) {
			const err = await thrown(ask());
			assert.deepEqual([err.kind, err.temporary], ["misconfigured", false]);
			assert.ok(err.message.includes(`user 65534 made the socket ${socket}`), err.message);
		}
		assert.equal(seen.length, 0);
	});

	it("survives answers that no agent gives", async () => {
		for (const answer of ["HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "garbage\r\n\r\n", [200, { id: 1 }], [200, []], [200, { ...form(), headers: 1 }], [500, "?"], [404, { error: [] }]]) {
			const agent = await begin(answer);
			const err = await thrown(agent.refresh("stage/alice"));
			assert.ok(!err.message.includes("hush"));
			await end();
		}
	});

	it("says what to do", async () => {
		const agent = await begin([409, { error: { class: "refused", id: "stage/alice", reason: "not signed in", remedy: "venuekey login" } }],
			[503, { error: { class: "later", reason: "busy", retry_after: 7.5 } }], [500, { error: { class: "asleep", reason: "zzz" } }]);
		const first = await thrown(agent.token("stage/alice"));
		assert.ok(first.needsSignIn);
		assert.equal(first.message, "stage/alice: not signed in; try: venuekey login");
		const second = await thrown(agent.token("stage/alice"));
		assert.deepEqual([second.temporary, second.retryAfter], [true, 7.5]);
		assert.deepEqual([(await thrown(agent.token("stage/alice"))).kind], ["asleep"]);
		assert.equal((await thrown(agent.token("alice"))).kind, "declined");
	});

	it("waits for an agent that is away, and keeps its last token", async () => {
		const agent = await begin([200, form()]);
		const token = await agent.refresh("stage/alice");
		await end();
		assert.equal((await thrown(agent.refresh("stage/alice"))).remedy, "venuekey agent");
		const waiting = agent.waitNewer("stage/alice", 1);
		await begin([200, form(2)]);
		assert.equal((await waiting).generation, 2);
		assert.equal(token.generation, 1);
	});

	it("ends a wait", async () => {
		const agent = await begin([304, null]);
		assert.equal(await agent.waitNewer("stage/alice", 1, { timeout: 50 }), null);
	});

	it("goes on with events that are cut", async () => {
		const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
		const agent = await begin(head + ': hello\n\nid: a-1\nevent: rotated\ndata: {"kind":"rotated","id":"stage/alice","generation":2,"new":1}\n\nid: a-2\ndata: {"ki',
			head + 'data: nonsense\n\nid: a-3\ndata: {"kind":"reset"}\n\n', head);
		const leave = new AbortController();
		const events = agent.events("stage/alice", leave.signal);
		assert.equal((await events.next()).value.generation, 2);
		assert.equal((await events.next()).value.kind, "reset");
		assert.equal(seen[1].headers["last-event-id"], "a-1");
		assert.ok(seen[0].url.includes("id=stage%2Falice"));
		leave.abort();
		assert.ok((await events.next()).done);
	});

	it("repeats what may be repeated after a refusal", async () => {
		for (const [method, sent] of [["GET", 2], ["POST", 1]]) {
			const agent = await begin([200, form(1)], [200, form(2)]);
			const got = [];
			const api = http.createServer((request, response) => {
				got.push(request.headers.authorization);
				response.writeHead(got.length === 1 ? 401 : 200).end("x");
			});
			await new Promise((resolve) => api.listen(0, "127.0.0.1", resolve));
			const response = await agent.fetch("stage/alice", `http://127.0.0.1:${api.address().port}/`, { method });
			await response.text();
			assert.deepEqual(got, ["Bearer hush-1", "Bearer hush-2"].slice(0, sent));
			assert.deepEqual(JSON.parse(seen.at(-1).body), { access_token: "hush-1" });
			api.closeAllConnections();
			await new Promise((resolve) => api.close(resolve));
			await end();
		}
	});
});

describe("with an agent", { skip: !process.env.VENUEKEY_TEST_ID && "no agent runs: tests/clients starts one" }, () => {
	const id = process.env.VENUEKEY_TEST_ID;

	it("has all calls", async () => {
		const agent = new Agent();
		const leave = new AbortController();
		const events = agent.events(id, leave.signal);
		assert.equal((await events.next()).value.kind, "found");
		const token = await agent.token(id);
		assert.ok(token.expiresIn > 0);
		const waiting = agent.waitNewer(id, token.generation, { timeout: 20_000 });
		const rotated = await agent.refresh(id);
		assert.equal((await waiting).accessToken, rotated.accessToken);
		assert.equal((await agent.refused(id, token.accessToken)).accessToken, rotated.accessToken);
		assert.ok((await agent.signins()).some((one) => one.id === id));
		for (let event = { kind: "" }; event.kind !== "rotated"; ) event = (await events.next()).value;
		await assert.rejects(agent.token("ctrader/nobody"), (err) => err.needsSignIn);
		leave.abort();
	});
});
