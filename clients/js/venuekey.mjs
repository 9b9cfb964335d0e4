// Tokens of trading venues from a venuekey agent, in one file and without dependencies.
//
// The agent ("venuekey agent") keeps the sign-ins of a user fresh; this hands their tokens to a
// program. Copy the file into yours, with venuekey.d.ts for its types. Node 18 or later:
//
//	import { Agent } from "./venuekey.mjs";
//	const agent = new Agent();
//	const token = await agent.token("ctrader/alice");
//	const response = await agent.fetch("ttp/alice", "https://api.example/accounts");
//	for await (const event of agent.events("ctrader/alice")) console.log(event.kind, event.reason);

import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { inspect } from "node:util";

const TIMEOUT = 60_000; // of a call, in milliseconds; one that waits for a newer token takes longer
const MARGIN = 30_000; // how long before its end a token is asked for anew
const RECHECK = 1_000; // how long a token is kept without asking the agent
const PATIENCE = 10_000; // how long an agent that is away is waited for
const MOST = 64 << 20; // the longest answer that is read, in bytes
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** What an agent says instead of a token. */
export class VenuekeyError extends Error {
	/** @param {string} kind @param {string} reason @param {object} [more] */
	constructor(kind, reason, more = {}) {
		const { id = "", remedy = "", retryAfter = 0, code = "", scopes = [], status = 0 } = more;
		super(`${id ? id + ": " : ""}${reason}${remedy ? "; try: " + remedy : ""}`);
		this.name = "VenuekeyError";
		Object.assign(this, { kind, reason, id, remedy, retryAfter, code, scopes, status });
	}

	/** Whether a person has to sign in. */
	get needsSignIn() {
		return this.kind === "refused";
	}

	/** Whether the same call may succeed later. */
	get temporary() {
		return ["later", "not-sent", "unknown"].includes(this.kind);
	}
}

/** A token of a sign-in. It prints, and becomes JSON, without its secret. */
export class Token {
	#form;

	constructor(form) {
		if (typeof form?.access_token !== "string" || typeof form.headers !== "object" || Number.isNaN(Date.parse(form.expires_at))) {
			throw new VenuekeyError("failed", "the agent's answer is no token");
		}
		this.#form = form;
		this.id = form.id;
		this.generation = form.generation;
		this.expiresAt = new Date(form.expires_at);
		this.state = form.state ?? "";
		this.user = form.user ?? "";
		this.scopes = form.scopes ?? [];
	}

	/** The access token. */
	get accessToken() {
		return this.#form.access_token;
	}

	/** The header fields that a call of the venue's API needs. */
	get headers() {
		return { ...this.#form.headers };
	}

	/** Whatever else the venue gave. */
	get extras() {
		return this.#form.extras ?? {};
	}

	/** Milliseconds until it expires; negative if it has. */
	get expiresIn() {
		return this.expiresAt.getTime() - Date.now();
	}

	toString() {
		return `Token(${this.id}, generation ${this.generation}, expires ${this.expiresAt.toISOString()})`;
	}

	toJSON() {
		return this.toString();
	}

	[inspect.custom]() {
		return this.toString();
	}
}

/** Asks an agent. */
export class Agent {
	#options;
	#tokens = new Map(); // by ID: the token, and until when it is kept
	#asking = new Map(); // by ID: the answer that is under way
	#socket;

	/** @param {{socket?: string, url?: string, consumer?: string, ca?: string|Buffer, timeout?: number}} [options] */
	constructor(options = {}) {
		this.#options = { timeout: TIMEOUT, ...options };
		if (options.url && new URL(options.url).protocol !== "https:") throw new TypeError("url begins with https://");
		this.#socket = options.socket ?? process.env.VENUEKEY_AGENT_SOCKET ?? "";
	}

	/** A good token of a sign-in, renewed first if it is due. */
	async token(id) {
		const kept = this.#tokens.get(id);
		if (kept && performance.now() < kept.until && kept.token.expiresIn > 0) return kept.token;
		let asking = this.#asking.get(id);
		if (!asking) {
			asking = this.#patiently("GET", path("token", id)).then((form) => this.#keep(form)).finally(() => this.#asking.delete(id));
			this.#asking.set(id, asking);
		}
		try {
			return await asking;
		} catch (err) {
			const away = err instanceof VenuekeyError && err.status === 0 && err.temporary;
			if (away && kept && kept.token.expiresIn > 0) return kept.token;
			throw err;
		}
	}

	/** A token of a later generation, as soon as there is one; null after timeout milliseconds. */
	async waitNewer(id, generation, { timeout = Infinity, signal } = {}) {
		const end = performance.now() + timeout;
		for (;;) {
			const wait = Math.max(0, Math.min(30_000, end - performance.now()));
			const query = new URLSearchParams({ newer_than: String(generation), wait: `${Math.round(wait)}ms` });
			const form = await this.#patiently("GET", `${path("token", id)}?${query}`, { longer: wait, signal });
			if (form) return this.#keep(form);
			if (performance.now() >= end) return null;
		}
	}

	/** Another token, for one that the venue did not accept. */
	async refused(id, accessToken) {
		this.#tokens.delete(id);
		return this.#keep(await this.#ask("POST", path("token", id) + "/refused", { body: { access_token: accessToken } }));
	}

	/** Renews a token now. It is rarely needed: token() renews what is due. */
	async refresh(id) {
		return this.#keep(await this.#ask("POST", path("signins", id) + "/refresh", { body: {} }));
	}

	/** The status of every sign-in. */
	async signins() {
		return (await this.#patiently("GET", "/v1/signins")).signins;
	}

	/**
	 * fetch() with a token. An answer of 401 has the token reported; the request is repeated once,
	 * with another token, if it is a GET, a HEAD or an OPTIONS. No redirect takes the token along.
	 */
	async fetch(id, input, init = {}) {
		const send = (token) => {
			const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
			for (const [name, value] of Object.entries(token.headers)) headers.set(name, value);
			return fetch(input instanceof Request ? input.clone() : input, { redirect: "manual", ...init, headers });
		};
		const token = await this.token(id);
		const response = await send(token);
		if (response.status !== 401) return response;
		const newer = await this.refused(id, token.accessToken).catch((err) => {
			if (err instanceof VenuekeyError) return null; // the venue's own refusal says more
			throw err;
		});
		const method = (init.method ?? (input instanceof Request ? input.method : "GET")).toUpperCase();
		if (!newer || newer.accessToken === token.accessToken || !SAFE.has(method)) return response;
		await response.body?.cancel();
		return send(newer);
	}

	/** What happens to sign-ins, for ever: what is known of each first, of kind found. */
	async *events(...ids) {
		const signal = ids.at(-1) instanceof AbortSignal ? ids.pop() : undefined;
		const query = ids.length ? "?" + new URLSearchParams(ids.map((id) => ["id", id])) : "";
		let last = "";
		for (let pause = 100; !signal?.aborted; pause = Math.min(2 * pause, 5_000)) {
			try {
				const response = await this.#open("GET", "/v1/events" + query, { header: last ? { "Last-Event-ID": last } : {}, signal, timeout: 45_000 });
				if (response.statusCode !== 200) answer(response.statusCode, await content(response));
				for await (const [number, event] of parsed(response)) {
					[last, pause] = [number, 100];
					yield event;
				}
			} catch (err) {
				if (signal?.aborted) return;
				if (!(err instanceof VenuekeyError) || !err.temporary) throw err;
			}
			await sleep(pause * (0.5 + Math.random()), signal);
		}
	}

	#keep(form) {
		const token = new Token(form);
		this.#tokens.set(token.id, { token, until: performance.now() + Math.min(RECHECK, Math.max(0, token.expiresIn - MARGIN)) });
		return token;
	}

	/** Asks until the agent is there, for PATIENCE milliseconds. */
	async #patiently(method, path, options = {}) {
		const end = performance.now() + PATIENCE;
		for (let pause = 50; ; pause = Math.min(2 * pause, 1_000)) {
			try {
				return await this.#ask(method, path, options);
			} catch (err) {
				const away = err instanceof VenuekeyError && err.status === 0 && err.temporary;
				if (!away || options.signal?.aborted || performance.now() + pause > end) throw err;
			}
			await sleep(pause, options.signal);
		}
	}

	async #ask(method, path, { body, longer = 0, signal } = {}) {
		const response = await this.#open(method, path, { body, signal, timeout: this.#options.timeout + longer });
		const text = await content(response);
		if (response.statusCode === 204 || response.statusCode === 304) return null;
		return answer(response.statusCode, text);
	}

	async #open(method, path, { body, header = {}, signal, timeout }) {
		const { url, consumer, ca } = this.#options;
		if (!url && !this.#socket) this.#socket = await where();
		if (!url) trust(this.#socket);
		const text = body === undefined ? "" : JSON.stringify(body);
		const headers = { ...header, ...(text && { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }) };
		if (consumer) headers.Authorization = "Bearer " + consumer;
		const at = url ? new URL(path, url) : { socketPath: this.#socket, path, host: "agent" };
		return new Promise((resolve, reject) => {
			const options = { method, headers, signal, timeout, agent: false, ...(url && { ca }) };
			const request = url ? https.request(at, options, resolve) : http.request({ ...at, ...options }, resolve);
			request.on("timeout", () => request.destroy(new Error("timeout")));
			request.on("error", (err) => reject(this.#away(err)));
			request.end(text);
		});
	}

	#away(err) {
		if (err.code === "ENOENT" || err.code === "ECONNREFUSED") {
			return new VenuekeyError("not-sent", `no agent runs at ${this.#options.url ?? this.#socket}`, { remedy: "venuekey agent" });
		}
		return new VenuekeyError("later", `the agent did not answer (${err.code ?? err.message})`);
	}

	[inspect.custom]() {
		return `Agent(${this.#options.url ?? this.#socket})`;
	}
}

function path(kind, id) {
	const [venue, name, more] = String(id).split("/");
	if (!venue || !name || more !== undefined) throw new VenuekeyError("declined", "an ID is a venue and a name, as in ctrader/alice", { id: String(id) });
	return `/v1/${kind}/${encodeURIComponent(venue)}/${encodeURIComponent(name)}`;
}

/** Where the agent's socket is, as "venuekey agent --where" says. */
function where() {
	return new Promise((resolve, reject) => {
		execFile("venuekey", ["agent", "--where"], { timeout: 10_000 }, (err, stdout) => {
			if (!err) return resolve(stdout.trim());
			reject(new VenuekeyError("misconfigured", "the agent's socket is not known", { remedy: "set VENUEKEY_AGENT_SOCKET to what venuekey agent --where prints" }));
		});
	});
}

/** Throws if the socket is another user's. Node does not tell who listens; only its user and root can have made it. */
function trust(socket) {
	const made = statSync(socket, { throwIfNoEntry: false });
	if (!process.geteuid || !made || [process.geteuid(), 0, statSync("/").uid].includes(made.uid)) return;
	const reason = `user ${made.uid} made the socket ${socket}, and this is user ${process.geteuid()}`;
	throw new VenuekeyError("misconfigured", reason, { remedy: "unset VENUEKEY_AGENT_SOCKET, or run as the user whose agent it is" });
}

async function content(response) {
	const chunks = [];
	let size = 0;
	try {
		for await (const chunk of response) {
			if ((size += chunk.length) > MOST) throw new VenuekeyError("failed", "the agent's answer is too long");
			chunks.push(chunk);
		}
	} catch (err) {
		if (err instanceof VenuekeyError) throw err;
		throw new VenuekeyError("later", `the agent did not answer (${err.code ?? err.message})`);
	}
	return Buffer.concat(chunks).toString();
}

function answer(status, text) {
	let form;
	try {
		form = JSON.parse(text);
	} catch {
		form = null;
	}
	if (status === 200 && form) return form;
	const said = form?.error;
	if (typeof said?.class !== "string") throw new VenuekeyError("failed", `the agent answered with status ${status}, and not as an agent does`, { status });
	throw new VenuekeyError(said.class, String(said.reason), {
		id: said.id, remedy: said.remedy, retryAfter: said.retry_after, code: said.code, scopes: said.scopes, status,
	});
}

/** The events of a stream (WHATWG HTML, section 9.2), each with its number. */
async function* parsed(response) {
	let [rest, number, data] = ["", "", ""];
	try {
		for await (const chunk of response.setEncoding("utf8")) {
			const lines = (rest + chunk).split("\n");
			rest = lines.pop();
			if (rest.length > 1 << 20) throw new VenuekeyError("failed", "a line of the agent's is too long");
			for (const line of lines) {
				const colon = line.indexOf(":");
				const [field, value] = colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
				if (field === "id") number = value;
				else if (field === "data") data = value;
				else if (line === "" && data) {
					const event = readEvent(data);
					data = "";
					if (event) yield [number, event];
				}
			}
		}
	} catch (err) {
		if (err instanceof VenuekeyError) throw err;
		throw new VenuekeyError("later", `the agent did not answer (${err.code ?? err.message})`);
	}
}

function readEvent(data) {
	try {
		const form = JSON.parse(data);
		if (typeof form?.kind !== "string") return null;
		const { kind, id = "", state = "", before = "", reason = "", remedy = "", generation = 0, at = "", expires_at: expiresAt = "" } = form;
		return { kind, id, state, before, reason, remedy, generation, at, expiresAt };
	} catch {
		return null;
	}
}

function sleep(milliseconds, signal) {
	return new Promise((resolve) => {
		const timer = setTimeout(done, milliseconds);
		function done() {
			clearTimeout(timer);
			signal?.removeEventListener("abort", done);
			resolve();
		}
		signal?.addEventListener("abort", done);
	});
}
