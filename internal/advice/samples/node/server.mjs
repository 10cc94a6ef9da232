// A shop's auth endpoint and webhook, with Express. Environment: see ../README.md.
//
//   node server.mjs ../node-jose/token.mjs

import express from "express";
import { createHmac, timingSafeEqual } from "node:crypto";
import { sessions, secret, ourPages } from "./shop.mjs";

const { mintToken, verifyToken } = await import(process.argv[2]);
const app = express();

// region origin: Serve your own pages only, whatever origin they have
app.use("/kindly/token", (req, res, next) => {
  const origin = req.get("Origin"); // as a whole; "null" is not on the list either
  const otherSite = origin === undefined && req.get("Sec-Fetch-Site") === "cross-site";
  res.vary("Origin");
  if (otherSite || (origin !== undefined && !ourPages.has(origin))) return res.status(403).json({ error: "not from our page" });
  if (origin !== undefined) res.set({ "Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true" });
  if (req.method !== "OPTIONS") return next();
  res.set({ "Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "content-type" }).status(204).end();
});
// endregion

// region endpoint: The auth endpoint
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const readJSON = express.json({ type: () => true, limit: "16kb" }); // text/plain too: browsers may send it

app.disable("etag"); // or Express answers 304 to a request for a token
app.post("/kindly/token", requireUser, readJSON, async (req, res) => {
  const { chatId } = req.body ?? {}; // nothing else is taken from the body
  if (typeof chatId !== "string" || !UUID.test(chatId)) return res.status(400).json({ error: "no chat id" });
  res.set({ "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
  res.json({ token: await mintToken(req.user, chatId) });
});
app.all("/kindly/token", (_req, res) => res.set("Allow", "POST").status(405).json({ error: "POST only" }));

function requireUser(req, res, next) {
  const id = /(?:^|; *)sid=([^;]*)/.exec(req.get("Cookie") ?? "")?.[1];
  req.user = sessions.get(id); // your own session lookup goes here
  if (!req.user) return res.status(401).json({ error: "not logged in" });
  next();
}
// endregion

// region signature: Verify Kindly-HMAC over the bytes that came
function signedByKindly(req) {
  const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0); // express.raw gives a Buffer
  const expected = Buffer.from(createHmac("sha256", secret).update(body).digest("base64"));
  const given = Buffer.from(req.get("Kindly-HMAC") ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected)
    && req.get("Kindly-HMAC-algorithm") === "HMAC-SHA-256 (base64 encoded)";
}
// endregion

// region webhook: The webhook
const readBytes = express.raw({ type: () => true, limit: "256kb", inflate: false });

app.post("/kindly/webhook", readBytes, async (req, res) => {
  if (!signedByKindly(req)) return res.status(401).json({ error: "bad signature" });
  const message = parseObject(req.body);
  if (!message) return res.status(400).json({ error: "not a JSON object" });
  const authorization = req.get("Authorization");
  if (authorization === undefined) return res.json({ reply: "Please log in, and I look your order up." });
  const [, token] = /^Bearer ([^\s]+)$/i.exec(authorization) ?? []; // the only place it is read from
  const claims = token && (await verifyToken(token, message.chat_id));
  if (!claims) return res.status(401).json({ error: "not a valid token" });
  res.json({ reply: greeting(claims) });
});
app.all("/kindly/webhook", (_req, res) => res.set("Allow", "POST").status(405).json({ error: "POST only" }));
// endregion

// region json: Read JSON that may be anything
function parseObject(bytes) {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // not JSON: answer 400
  }
}
// endregion

// region reply: Escape claims in a reply, and use verified addresses only
const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

function greeting(claims) {
  const name = typeof claims.name === "string" ? claims.name : "you";
  const news = claims.email_verified === true ? ` News goes to ${escape(claims.email)}.` : "";
  return `Hello ${escape(name)}! Your order is on its way.${news}`;
}
// endregion

// region errors: Answer errors with a fixed text
app.use((err, _req, res, next) => { // after all routes
  if (res.headersSent) return next(err);
  const ours = !(err.status >= 400 && err.status < 500); // the body parser's errors have a status
  if (ours) console.error(err);
  res.status(ours ? 500 : err.status).json({ error: ours ? "something went wrong" : "bad request" });
});
// endregion

const server = app.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
});
process.stdin.on("end", () => process.exit(0)).resume(); // it ends with whoever started it
