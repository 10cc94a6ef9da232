// What a team would write instead of kindlytest: 20 checks of its page, its
// auth endpoint and its webhook, with Playwright and node:test. Run: node --test
// with SHOP set to the JSON that cmd/bench/run.go gives.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const shop = JSON.parse(process.env.SHOP);
const hook = shop.webhooks[0];
let browser, page, chats = [], token, claims, cookie;

before(async () => {
  browser = await chromium.launch({ executablePath: shop.chrome, args: shop.root ? ["--no-sandbox"] : [] });
  page = await browser.newPage();
  await page.goto(shop.login);
  await page.fill("#email", shop.email);
  await page.fill("#password", shop.password);
  await page.click("button[type=submit]");
  await page.waitForSelector(shop.mark);
  await page.route(/kindlycdn\.com|kindly\.ai/, (route) => {
    chats.push(route.request().url());
    return route.fulfill({ contentType: "text/javascript", body: "" });
  });
  await page.goto(shop.page);
  token = await page.evaluate(() => (window.kindlyOptions || window.kindlyConfig).getAuthToken("11111111-1111-4111-8111-111111111111"));
  claims = decode(token, 1);
  cookie = (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
});
after(() => browser.close());

const decode = (jwt, part) => JSON.parse(Buffer.from(jwt.split(".")[part], "base64url"));
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const forge = (header, payload, sign) => {
  const text = encode(header) + "." + encode(payload);
  return text + "." + sign(text).toString("base64url");
};
const rs256 = (key) => (text) => crypto.sign("sha256", Buffer.from(text), key);

const ask = (headers, body = { chatId: crypto.randomUUID() }) =>
  fetch(shop.endpoint, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });

const call = (bearer, secret = hook.secret) => {
  const body = JSON.stringify({ chat_id: claims.chat.id, message: hook.message, user_id: "1", source: "web", exchange: { id: "1", slug: "" } });
  const headers = {
    "Content-Type": "application/json", "Kindly-HMAC-algorithm": "HMAC-SHA-256 (base64 encoded)",
    "Kindly-HMAC": crypto.createHmac("sha256", secret).update(body).digest("base64"),
  };
  if (bearer) headers.Authorization = "Bearer " + bearer;
  return fetch(hook.url, { method: "POST", headers, body });
};
const refused = async (bearer) => assert.equal((await call(bearer)).status, 401);

test("the page loads the chat client", () => assert.ok(chats.some((url) => url.includes("kindly-chat"))));
test("the callback gives a token", () => assert.equal(token.split(".").length, 3));
test("its algorithm is RS256", () => assert.equal(decode(token, 0).alg, "RS256"));
test("its signature is valid", () => {
  const [header, payload, signature] = token.split(".");
  assert.ok(crypto.verify("sha256", Buffer.from(header + "." + payload), shop.publicKey, Buffer.from(signature, "base64url")));
});
test("it lives 15 minutes at most", () => assert.ok(claims.exp - claims.iat <= 900));
test("it is for the chat", () => assert.equal(claims.chat.id, "11111111-1111-4111-8111-111111111111"));
test("it has an issuer and a subject", () => assert.ok(claims.iss && claims.sub));
test("it has a name", () => assert.ok(claims.name));
test("it lists the webhook", () => assert.ok(claims.chat.webhook_domains.includes(new URL(hook.public).hostname)));
test("the endpoint wants a session", async () => assert.equal((await ask({})).status, 401));
test("the endpoint takes no invented session", async () => assert.equal((await ask({ Cookie: cookie + "x" })).status, 401));
test("the endpoint's answer is not cached", async () => assert.match((await ask({ Cookie: cookie })).headers.get("cache-control"), /no-store/));
test("the endpoint wants a chat id", async () => assert.equal((await ask({ Cookie: cookie }, {})).status, 400));
test("the webhook answers", async () => {
  const answer = await call(token);
  assert.equal(answer.status, 200);
  assert.ok((await answer.json()).reply);
});
test("the webhook answers strangers", async () => assert.equal((await call()).status, 200));
test("the webhook wants a signature", async () => assert.equal((await call(token, "wrong")).status, 401));
test("the webhook refuses alg none", () => refused(forge({ alg: "none" }, claims, () => Buffer.alloc(0))));
test("the webhook refuses a stranger's key", () =>
  refused(forge({ alg: "RS256" }, claims, rs256(crypto.generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey))));
test("the webhook refuses HS256 with the public key", () =>
  refused(forge({ alg: "HS256" }, claims, (text) => crypto.createHmac("sha256", shop.publicKey).update(text).digest())));
test("the webhook refuses an expired token", () =>
  refused(forge({ alg: "RS256" }, { ...claims, iat: claims.iat - 3600, exp: claims.iat - 60 }, rs256(shop.privateKey))));
