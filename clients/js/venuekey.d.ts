/** What an agent says instead of a token. */
export class VenuekeyError extends Error {
	/** unknown, refused, misconfigured, not-sent, later, damaged, failed, declined, or a later word. */
	kind: string;
	reason: string;
	id: string;
	remedy: string;
	/** In seconds; 0 if it is not known. */
	retryAfter: number;
	code: string;
	scopes: string[];
	/** The HTTP status of the agent's answer; 0 if there was none. */
	status: number;
	get needsSignIn(): boolean;
	get temporary(): boolean;
}

/** A token of a sign-in. It prints, and becomes JSON, without its secret. */
export class Token {
	readonly id: string;
	readonly generation: number;
	readonly expiresAt: Date;
	readonly state: string;
	readonly user: string;
	readonly scopes: string[];
	get accessToken(): string;
	/** The header fields that a call of the venue's API needs. */
	get headers(): Record<string, string>;
	get extras(): Record<string, unknown>;
	/** Milliseconds; negative if it has expired. */
	get expiresIn(): number;
}

export interface Event {
	/** found, signed_in, rotated, changed, warning, trouble, recovered, signed_out, or reset. */
	kind: string;
	id: string;
	state: string;
	before: string;
	reason: string;
	remedy: string;
	generation: number;
	/** RFC 3339. */
	at: string;
	expiresAt: string;
}

export interface Options {
	/** The path of the agent's socket; otherwise VENUEKEY_AGENT_SOCKET, or what "venuekey agent --where" says. */
	socket?: string;
	/** https://host:port of an agent elsewhere, with the token of a consumer. */
	url?: string;
	consumer?: string;
	ca?: string | Uint8Array;
	/** Of a call, in milliseconds; 60 s by default. */
	timeout?: number;
}

/** Asks an agent. Its calls throw VenuekeyError. */
export class Agent {
	constructor(options?: Options);
	token(id: string): Promise<Token>;
	waitNewer(id: string, generation: number, options?: { timeout?: number; signal?: AbortSignal }): Promise<Token | null>;
	refused(id: string, accessToken: string): Promise<Token>;
	refresh(id: string): Promise<Token>;
	signins(): Promise<Array<Record<string, unknown>>>;
	fetch(id: string, input: string | URL | Request, init?: RequestInit): Promise<Response>;
	events(...ids: Array<string | AbortSignal>): AsyncGenerator<Event, void>;
}
