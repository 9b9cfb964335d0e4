// Drives the package tradovate as its own README does, and reports each step as one line of
// JSON.
import { readFileSync } from "node:fs";
import tradovate from "tradovate";

const { TradovateService, MarketDataSocket, RequestSocket, URLs } = tradovate;
const input = JSON.parse(readFileSync(0, "utf8"));
const report = (step, got) => process.stdout.write("\n" + JSON.stringify({ step, got }) + "\n");
const later = (ms) => new Promise((done) => setTimeout(done, ms));

const service = new TradovateService();
try {
  await service.connect({ ...input.credentials, password: "wrong" }, true);
} catch (error) {
  report("wrong password", error.message);
}
const { accessToken, ...session } = await service.connect(input.credentials, true);
report("connect", session);
report("accounts", await service.get("account/list"));
report("me", await service.get("auth/me", {}, true));
report("renew", Object.keys(await service.get("auth/renewaccesstoken", {}, true)).sort());
report("order", await service.post("order/placeorder", { accountId: input.account, action: "Buy", symbol: "ESZ6", orderQty: 1, orderType: "Market", isAutomated: true }));

const user = new RequestSocket(URLs.WS_DEMO_URL);
const events = [];
await user.connect(accessToken);
report("authorize", user.isConnected());
user.addListener((message) => message.e && events.push(message));
report("sync", await user.request({ url: "user/syncrequest", body: { users: [session.userId], entityTypes: ["order", "position"] } }));
report("contract", await user.request({ url: "contract/find", query: { name: "ESZ6" } }));
await user.request({ url: "order/placeorder", body: { accountId: input.account, action: "Sell", symbol: "ESZ6", orderQty: 1, orderType: "Market" } });
while (!events.some((event) => event.d.entityType === "position")) await later(10);
report("events", events.map((event) => event.d.entityType + " " + event.d.eventType));

const market = new MarketDataSocket();
await market.connect();
const quotes = [];
await market.subscribeQuote("ESZ6", (quote) => quotes.push(quote));
while (quotes.length < 3) await later(10);
report("quotes", quotes[0]);
await later(input.patience); // its heartbeats keep it open
report("still open", market.isConnected() && user.isConnected());
process.exit(0);
