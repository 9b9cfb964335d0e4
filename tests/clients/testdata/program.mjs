// What program() of stage_test.go does, in JavaScript.
import { Agent, VenuekeyError } from "../../../clients/js/venuekey.mjs";

const { VENUEKEY_TEST_ID: id, VENUEKEY_TEST_ALIVE: venue, VENUEKEY_TEST_SECONDS: seconds } = process.env;
const agent = new Agent();
const said = { Tokens: 0, Generations: 0, Refused: 0, Errors: 0, Wrong: [] };
const seen = new Set();
const accepts = async (token) => (await (await fetch(venue, { headers: { Token: token.accessToken } })).text()) === "true";

for (const end = performance.now() + 1000 * seconds; performance.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) {
	try {
		let token = await agent.token(id);
		if (!(await accepts(token))) {
			said.Refused++;
			token = await agent.refused(id, token.accessToken);
			if (!(await accepts(token))) said.Wrong.push(`generation ${token.generation} in place of a refused one is refused too`);
		}
		said.Tokens++;
		seen.add(token.generation);
	} catch (err) {
		said.Errors++;
		if (!(err instanceof VenuekeyError && err.temporary)) said.Wrong.push(String(err.stack));
	}
}
said.Generations = seen.size;
console.log(JSON.stringify(said));
