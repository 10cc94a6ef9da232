<?php

declare(strict_types=1);

use Firebase\JWT\JWT;
use Firebase\JWT\Key;

// region mint: Sign the token
function mintToken(array $user, string $chatId): string
{
    $now = time();
    return JWT::encode([
        'iss' => 'shop.example.com',
        'iat' => $now,
        'exp' => $now + 5 * 60,
        'sub' => (string) $user['id'],
        'name' => $user['name'],
        'email' => $user['email'],
        'email_verified' => (bool) $user['email_verified'],
        'chat' => ['id' => $chatId, 'webhook_domains' => ['hooks.example.com']],
    ], PRIVATE_KEY, 'RS256');
}
// endregion

// region verify: Verify the token
function verifyToken(string $token, mixed $chatId): ?stdClass
{
    try {
        JWT::$leeway = 10; // seconds
        $header = new stdClass(); // decode() fills it
        $claims = JWT::decode($token, new Key(PUBLIC_KEY, 'RS256'), $header); // never what the token says
    } catch (Throwable) {
        return null; // whatever was thrown, it is no valid token
    }
    if (isset($header->crit)) { // the library ignores it
        return null;
    }
    return right($claims, $chatId) ? $claims : null;
}
// endregion

// region claims: What the library does not check
function right(stdClass $claims, mixed $chatId): bool
{
    $iat = $claims->iat ?? null;
    $exp = $claims->exp ?? null; // without this a token without exp never expires
    if (!is_int($iat) || !is_int($exp) || $iat > time() + 10 || $exp <= $iat || $exp - $iat > 15 * 60) {
        return false;
    }
    $sub = $claims->sub ?? null;
    $chat = $claims->chat ?? null;
    $id = $chat instanceof stdClass ? $chat->id ?? null : null;
    return ($claims->iss ?? null) === 'shop.example.com'
        && is_string($sub) && $sub !== ''
        && is_string($id) && $id !== '' && $id === $chatId; // of this chat
}
// endregion

// region origin: Serve your own pages only, whatever origin they have
function onlyOurPages(): void
{
    $origin = $_SERVER['HTTP_ORIGIN'] ?? null; // as a whole; "null" is not on the list either
    header('Vary: Origin');
    $otherSite = $origin === null && ($_SERVER['HTTP_SEC_FETCH_SITE'] ?? '') === 'cross-site';
    if ($otherSite || $origin !== null && !in_array($origin, OUR_PAGES, true)) {
        answer(403, ['error' => 'not from our page']);
    }
    if ($origin !== null) {
        header("Access-Control-Allow-Origin: $origin");
        header('Access-Control-Allow-Credentials: true');
    }
    if ($_SERVER['REQUEST_METHOD'] === 'OPTIONS') {
        header('Access-Control-Allow-Methods: POST');
        header('Access-Control-Allow-Headers: content-type');
        http_response_code(204);
        exit;
    }
}
// endregion

// region endpoint: The auth endpoint
function kindlyToken(): never
{
    onlyOurPages();
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        header('Allow: POST');
        answer(405, ['error' => 'POST only']);
    }
    $user = userOfSession(); // your own session lookup
    if ($user === null) {
        answer(401, ['error' => 'not logged in']);
    }
    $body = parseObject(file_get_contents('php://input')); // $_POST holds no JSON
    $chatId = $body->chatId ?? null; // nothing else is taken from the body
    if (!is_string($chatId) || !preg_match('/\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/i', $chatId)) {
        answer(400, ['error' => 'no chat id']);
    }
    answer(200, ['token' => mintToken($user, $chatId)]);
}
// endregion

// region signature: Verify Kindly-HMAC over the bytes that came
function signedByKindly(string $body): bool
{
    $expected = base64_encode(hash_hmac('sha256', $body, HMAC_SECRET, true));
    return hash_equals($expected, $_SERVER['HTTP_KINDLY_HMAC'] ?? '')
        && ($_SERVER['HTTP_KINDLY_HMAC_ALGORITHM'] ?? '') === 'HMAC-SHA-256 (base64 encoded)';
}
// endregion

// region webhook: The webhook
function kindlyWebhook(): never
{
    $body = file_get_contents('php://input');
    if (!signedByKindly($body)) {
        answer(401, ['error' => 'bad signature']);
    }
    $message = parseObject($body);
    if ($message === null) {
        answer(400, ['error' => 'not a JSON object']);
    }
    $authorization = $_SERVER['HTTP_AUTHORIZATION'] ?? null; // Apache: CGIPassAuth On
    if ($authorization === null) {
        answer(200, ['reply' => 'Please log in, and I look your order up.']);
    }
    $isBearer = preg_match('/\ABearer (\S+)\z/i', $authorization, $m) === 1; // the only place it is read from
    $claims = $isBearer ? verifyToken($m[1], $message->chat_id ?? null) : null;
    if ($claims === null) {
        answer(401, ['error' => 'not a valid token']);
    }
    answer(200, ['reply' => greeting($claims)]);
}
// endregion

// region json: Read JSON that may be anything
function parseObject(string $body): ?stdClass
{
    try {
        $value = json_decode($body, false, 64, JSON_THROW_ON_ERROR);
    } catch (JsonException) {
        return null; // not UTF-8, not JSON, or nested too deeply
    }
    return $value instanceof stdClass ? $value : null;
}
// endregion

// region reply: Escape claims in a reply, and use verified addresses only
function greeting(stdClass $claims): string
{
    $name = is_string($claims->name ?? null) ? $claims->name : 'you';
    $news = ($claims->email_verified ?? null) === true
        ? ' News goes to ' . htmlspecialchars((string) $claims->email) . '.' : '';
    return 'Hello ' . htmlspecialchars($name) . '! Your order is on its way.' . $news;
}
// endregion

// region errors: Answer errors with a fixed text
ini_set('display_errors', '0'); // errors go to the log
set_exception_handler(function (Throwable $e): void {
    error_log((string) $e);
    answer(500, ['error' => 'something went wrong']);
});
// endregion

// region answer: Answer with JSON that nobody keeps
function answer(int $status, array $value): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    header('X-Content-Type-Options: nosniff');
    echo json_encode($value, JSON_THROW_ON_ERROR);
    exit;
}
// endregion
