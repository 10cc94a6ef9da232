import { jwtVerify, SignJWT } from "jose";
import { privateKey, publicKey } from "../node/shop.mjs";
import { right } from "../node/claims.mjs";

// region mint: Sign the token
export function mintToken(user, chatId) {
  return new SignJWT({
    name: user.name,
    email: user.email,
    email_verified: user.emailVerified, // a boolean
    chat: { id: chatId, webhook_domains: ["hooks.example.com"] },
  })
    .setProtectedHeader({ alg: "RS256", typ: "JWT" })
    .setIssuer("shop.example.com")
    .setSubject(String(user.id))
    .setIssuedAt()
    .setExpirationTime("5 minutes")
    .sign(privateKey);
}
// endregion

// region verify: Verify the token
export async function verifyToken(token, chatId) {
  try {
    const { payload } = await jwtVerify(token, publicKey, { // refuses an unknown crit by itself
      algorithms: ["RS256"], // never what the token says
      issuer: "shop.example.com",
      requiredClaims: ["iat", "exp", "sub"],
      clockTolerance: 10,
    });
    return right(payload, chatId) ? payload : undefined;
  } catch {
    return undefined; // whatever was thrown, it is no valid token
  }
}
// endregion
