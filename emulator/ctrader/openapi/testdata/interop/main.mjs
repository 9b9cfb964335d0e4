// Drives @reiryoku/ctrader-layer through a day of a client: it reads one JSON
// object, and says each step that succeeded as a line of JSON. Whatever else is
// on the output is the library's complaint.
import { readFileSync } from "node:fs";
import layer from "@reiryoku/ctrader-layer";

const { host, port, account, liveAccount, access, refresh } = JSON.parse(readFileSync(0, "utf8"));
const connection = new layer.CTraderConnection({ host, port });

let last = "nothing";
const say = (step, got = {}) => {
  last = step;
  console.log(JSON.stringify({ step, got }));
};
// The library does not tell of a connection that ends, so an answer may be
// waited for without end.
setTimeout(() => {
  console.error(`nothing more came after ${last}`);
  process.exit(1);
}, 30_000).unref();

const ask = async (name, body, step = name) => {
  const got = await connection.sendCommand(name, body);
  say(step, got);
  return got;
};
// refused asks for what must not be granted.
const refused = async (name, body, step) => {
  let answer;
  try {
    answer = await connection.sendCommand(name, body);
  } catch (error) {
    return say(step, error);
  }
  throw new Error(`${step} was granted: ${JSON.stringify(answer)}`);
};
// event waits for the first that is wanted. Ask before what causes it.
const event = (name, step = name, wanted = () => true) =>
  new Promise((resolve) => {
    const id = connection.on(name, ({ descriptor }) => {
      if (!wanted(descriptor)) return;
      connection.removeEventListener(id);
      say(step, descriptor);
      resolve(descriptor);
    });
  });

await connection.open();
say("open");
await refused("ProtoOATraderReq", { ctidTraderAccountId: account }, "too early");
await ask("ProtoOAVersionReq");
await ask("ProtoOAApplicationAuthReq", { clientId: "demo-client", clientSecret: "demo-secret" });
await ask("ProtoOAGetAccountListByAccessTokenReq", { accessToken: access });
await refused("ProtoOAAccountAuthReq", { ctidTraderAccountId: liveAccount, accessToken: access }, "wrong host");
await ask("ProtoOAAccountAuthReq", { ctidTraderAccountId: account, accessToken: access });
await ask("ProtoOATraderReq", { ctidTraderAccountId: account });
const { symbol } = await ask("ProtoOASymbolsListReq", { ctidTraderAccountId: account });
const { symbolId } = symbol.find((s) => s.symbolName === "EURUSD");

// Subscribing is answered first; the price comes after it, and then what moved.
const whole = event("ProtoOASpotEvent", "first spot", (e) => e.bid && e.ask);
await ask("ProtoOASubscribeSpotsReq", { ctidTraderAccountId: account, symbolId: [symbolId] });
await whole;
await event("ProtoOASpotEvent", "next spot");

const beat = event("ProtoHeartbeatEvent");
connection.sendHeartbeat();
await beat;

// The library takes an order for a request without an answer.
const filled = event("ProtoOAExecutionEvent", "filled", (e) => e.deal);
await ask("ProtoOANewOrderReq", { ctidTraderAccountId: account, symbolId, orderType: 1, tradeSide: 1, volume: 100_000 });
await filled;
await ask("ProtoOAReconcileReq", { ctidTraderAccountId: account });

const ended = event("ProtoOAAccountsTokenInvalidatedEvent");
const { accessToken } = await ask("ProtoOARefreshTokenReq", { refreshToken: refresh });
await ended;
await refused("ProtoOATraderReq", { ctidTraderAccountId: account }, "after the refresh");
await refused("ProtoOAAccountAuthReq", { ctidTraderAccountId: account, accessToken: access }, "old token");
await ask("ProtoOAAccountAuthReq", { ctidTraderAccountId: account, accessToken }, "signed in again");
await ask("ProtoOATraderReq", { ctidTraderAccountId: account }, "trader again");
connection.close();
