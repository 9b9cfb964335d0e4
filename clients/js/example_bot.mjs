// A bot that always has a good token. Run an agent, and then: node example_bot.mjs ctrader/alice

import { Agent, VenuekeyError } from "./venuekey.mjs";

const agent = new Agent();
const [who, patience = Infinity] = process.argv.slice(2);
try {
	let token = await agent.token(who);
	console.log(`begins with ${token}`);
	while (token) {
		// ... trade with token.headers ...
		token = await agent.waitNewer(who, token.generation, { timeout: 1000 * patience });
		if (token) console.log(`goes on with ${token}`);
	}
} catch (err) {
	if (!(err instanceof VenuekeyError)) throw err;
	console.error(`${err.message}${err.temporary ? "" : " (a person has to act)"}`);
	process.exit(1);
}
