"""A shop's auth endpoint and webhook, with Flask. Environment: see ../README.md."""

import base64
import hashlib
import hmac
import html
import json
import logging
import os
import re
import sys
import threading

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import make_server

from tokens import mint_token, verify_token

app = Flask(__name__)
SECRET = os.environ["KINDLY_HMAC_SECRET"].encode()
OUR_PAGES = set(os.environ["PAGE_ORIGINS"].split())
SESSIONS = json.loads(os.environ["SESSIONS"])


# region origin: Serve your own pages only, whatever origin they have
@app.before_request
def only_our_pages():
    if request.path != "/kindly/token":
        return None
    origin = request.headers.get("Origin")  # as a whole; "null" is not on the list either
    other_site = origin is None and request.headers.get("Sec-Fetch-Site") == "cross-site"
    if other_site or origin is not None and origin not in OUR_PAGES:
        return jsonify(error="not from our page"), 403
    return None


@app.after_request
def allow_our_pages(response):
    if request.path == "/kindly/token":
        response.vary.add("Origin")
        if request.headers.get("Origin") in OUR_PAGES:
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Allow-Methods"] = "POST"
            response.headers["Access-Control-Allow-Headers"] = "content-type"
    return response
# endregion


# region endpoint: The auth endpoint
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


@app.post("/kindly/token")
def kindly_token():
    user = SESSIONS.get(request.cookies.get("sid"))  # your own session lookup goes here
    if user is None:
        return jsonify(error="not logged in"), 401
    body = parse_object(request.get_data())  # whatever the Content-Type: browsers may send text/plain
    chat_id = body.get("chatId") if body is not None else None  # nothing else is taken from the body
    if not isinstance(chat_id, str) or not UUID.fullmatch(chat_id):
        return jsonify(error="no chat id"), 400
    response = jsonify(token=mint_token(user, chat_id))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
# endregion


# region signature: Verify Kindly-HMAC over the bytes that came
def signed_by_kindly(body: bytes) -> bool:
    expected = base64.b64encode(hmac.new(SECRET, body, hashlib.sha256).digest())
    given = request.headers.get("Kindly-HMAC", "").encode()
    algorithm = request.headers.get("Kindly-HMAC-algorithm")
    return hmac.compare_digest(given, expected) and algorithm == "HMAC-SHA-256 (base64 encoded)"
# endregion


# region webhook: The webhook
@app.post("/kindly/webhook")
def kindly_webhook():
    body = request.get_data()
    if not signed_by_kindly(body):
        return jsonify(error="bad signature"), 401
    message = parse_object(body)
    if message is None:
        return jsonify(error="not a JSON object"), 400
    authorization = request.headers.get("Authorization")
    if authorization is None:
        return jsonify(reply="Please log in, and I look your order up.")
    scheme, _, token = authorization.partition(" ")  # the only place it is read from
    claims = verify_token(token, message.get("chat_id")) if scheme.lower() == "bearer" else None
    if claims is None:
        return jsonify(error="not a valid token"), 401
    return jsonify(reply=greeting(claims))
# endregion


# region json: Read JSON that may be anything
def parse_object(body: bytes):
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested too deeply
        return None
    return value if isinstance(value, dict) else None
# endregion


# region reply: Escape claims in a reply, and use verified addresses only
def greeting(claims: dict) -> str:
    name = claims["name"] if isinstance(claims.get("name"), str) else "you"
    news = f" News goes to {html.escape(str(claims.get('email')))}." if claims.get("email_verified") is True else ""
    return f"Hello {html.escape(name)}! Your order is on its way.{news}"
# endregion


# region errors: Answer errors with a fixed text
@app.errorhandler(Exception)
def fixed_text(error):
    if isinstance(error, HTTPException):
        return jsonify(error=error.name), error.code, {"Allow": "POST"} if error.code == 405 else {}
    app.logger.exception("a request failed")
    return jsonify(error="something went wrong"), 500
# endregion


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()  # it ends with whoever started it
