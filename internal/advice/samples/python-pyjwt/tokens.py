"""The token, with PyJWT."""

import os
import time

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

# Read once: PyJWT would parse a PEM text anew for each token, which takes longer than to sign.
with open(os.environ["PRIVATE_KEY"], "rb") as f:
    PRIVATE_KEY = load_pem_private_key(f.read(), password=None)
with open(os.environ["PUBLIC_KEY"], "rb") as f:
    PUBLIC_KEY = load_pem_public_key(f.read())


# region mint: Sign the token
def mint_token(user: dict, chat_id: str) -> str:
    now = int(time.time())
    return jwt.encode({
        "iss": "shop.example.com",
        "iat": now,
        "exp": now + 5 * 60,
        "sub": str(user["id"]),
        "name": user["name"],
        "email": user["email"],
        "email_verified": user["emailVerified"],  # True or False
        "chat": {"id": chat_id, "webhook_domains": ["hooks.example.com"]},
    }, PRIVATE_KEY, algorithm="RS256")  # the default is HS256
# endregion


# region verify: Verify the token
def verify_token(token: str, chat_id: object):
    try:
        if "crit" in jwt.get_unverified_header(token):
            return None  # many versions of PyJWT ignore it
        claims = jwt.decode(
            token, PUBLIC_KEY,
            algorithms=["RS256"],  # never what the token says
            issuer="shop.example.com",
            leeway=10,
            options={"require": ["iat", "exp", "sub"]},  # otherwise a token without exp never expires
        )
        return claims if right(claims, chat_id) else None
    except Exception:  # whatever was raised, it is no valid token
        return None
# endregion


# region claims: What the library does not check
def right(claims: dict, chat_id: object) -> bool:
    iat, exp, sub, chat = (claims.get(name) for name in ("iat", "exp", "sub", "chat"))
    if type(iat) is not int or type(exp) is not int:  # "1700000000" and True pass as numbers in PyJWT
        return False
    if iat > time.time() + 10 or not 0 < exp - iat <= 15 * 60:
        return False
    if not isinstance(sub, str) or not sub or not isinstance(chat, dict):
        return False
    return isinstance(chat.get("id"), str) and chat["id"] != "" and chat["id"] == chat_id  # of this chat
# endregion
