import jwt from "jsonwebtoken";
import { privateKey, publicKey } from "../node/shop.mjs";
import { right } from "../node/claims.mjs";

// region mint: Sign the token
export function mintToken(user, chatId) {
  return jwt.sign({
    name: user.name,
    email: user.email,
    email_verified: user.emailVerified, // a boolean
    chat: { id: chatId, webhook_domains: ["hooks.example.com"] },
  }, privateKey, {
    algorithm: "RS256", // the default is HS256
    issuer: "shop.example.com",
    subject: String(user.id),
    expiresIn: 5 * 60, // seconds; a string without a unit would be milliseconds
  });
}
// endregion

// region verify: Verify the token
export function verifyToken(token, chatId) {
  try {
    const { header, payload } = jwt.verify(token, publicKey, {
      algorithms: ["RS256"], // never what the token says
      issuer: "shop.example.com",
      clockTolerance: 10,
      complete: true,
    });
    if ("crit" in header) return undefined; // jsonwebtoken ignores it
    return right(payload, chatId) ? payload : undefined;
  } catch {
    return undefined; // whatever was thrown, it is no valid token
  }
}
// endregion
