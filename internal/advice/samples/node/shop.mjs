// What a real shop has already: keys, a secret, users that are logged in.

import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";

export const privateKey = createPrivateKey(readFileSync(process.env.PRIVATE_KEY));
export const publicKey = createPublicKey(readFileSync(process.env.PUBLIC_KEY));
export const secret = process.env.KINDLY_HMAC_SECRET;
export const sessions = new Map(Object.entries(JSON.parse(process.env.SESSIONS)));
export const ourPages = new Set(process.env.PAGE_ORIGINS.split(" "));
