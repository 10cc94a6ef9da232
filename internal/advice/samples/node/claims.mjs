// region claims: What the library does not check
const LEEWAY = 10; // seconds that two clocks may differ
const isTime = Number.isSafeInteger; // seconds since 1970: no text, no fraction

export function right(claims, chatId, now = Date.now() / 1000) {
  const { iat, exp, sub, chat } = claims;
  return isTime(iat) && iat <= now + LEEWAY
    && isTime(exp) && exp > now - LEEWAY && exp > iat && exp - iat <= 15 * 60
    && typeof sub === "string" && sub !== ""
    && typeof chat?.id === "string" && chat.id !== "" && chat.id === chatId; // of this chat
}
// endregion
