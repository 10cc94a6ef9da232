package com.example.shop;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.interfaces.RSAPrivateKey;
import java.security.interfaces.RSAPublicKey;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.springframework.http.CacheControl;
import org.springframework.http.ResponseEntity;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.cors.CorsConfiguration;
import org.springframework.web.cors.UrlBasedCorsConfigurationSource;
import org.springframework.web.filter.CorsFilter;
import org.springframework.web.util.HtmlUtils;

/** A shop's auth endpoint and webhook, with Spring and Nimbus JOSE + JWT. */
@RestController
class Kindly {
    private final RSAPrivateKey privateKey;
    private final RSAPublicKey publicKey;
    private final byte[] secret;
    private final Sessions sessions;

    Kindly(RSAPrivateKey privateKey, RSAPublicKey publicKey, byte[] secret, Sessions sessions) {
        this.privateKey = privateKey;
        this.publicKey = publicKey;
        this.secret = secret;
        this.sessions = sessions;
    }

    // region mint: Sign the token
    String mintToken(User user, String chatId) throws Exception {
        Instant now = Instant.now();
        JWTClaimsSet claims = new JWTClaimsSet.Builder()
            .issuer("shop.example.com")
            .issueTime(Date.from(now))
            .expirationTime(Date.from(now.plusSeconds(5 * 60)))
            .subject(user.id())
            .claim("name", user.name())
            .claim("email", user.email())
            .claim("email_verified", user.emailVerified()) // a boolean
            .claim("chat", Map.of("id", chatId, "webhook_domains", List.of("hooks.example.com")))
            .build();
        SignedJWT token = new SignedJWT(new JWSHeader(JWSAlgorithm.RS256), claims);
        token.sign(new RSASSASigner(privateKey));
        return token.serialize();
    }
    // endregion

    // region verify: Verify the token
    Optional<JWTClaimsSet> verifyToken(String token, Object chatId) {
        try {
            SignedJWT jwt = SignedJWT.parse(token);
            if (!JWSAlgorithm.RS256.equals(jwt.getHeader().getAlgorithm())) return Optional.empty();
            if (jwt.getHeader().getCriticalParams() != null) return Optional.empty();
            if (!jwt.verify(new RSASSAVerifier(publicKey))) return Optional.empty(); // your key, none from the token
            JWTClaimsSet claims = jwt.getJWTClaimsSet();
            return right(claims, chatId, Instant.now()) ? Optional.of(claims) : Optional.empty();
        } catch (Exception e) {
            return Optional.empty(); // whatever was thrown, it is no valid token
        }
    }
    // endregion

    // region claims: What verify() does not check: all of it
    static boolean right(JWTClaimsSet claims, Object chatId, Instant now) throws Exception {
        Date iat = claims.getIssueTime(), exp = claims.getExpirationTime(), nbf = claims.getNotBeforeTime();
        if (iat == null || exp == null) return false; // otherwise a token without exp never expires
        long life = exp.getTime() - iat.getTime();
        if (iat.after(Date.from(now.plusSeconds(10))) || exp.before(Date.from(now.minusSeconds(10)))) return false;
        if (life <= 0 || life > 15 * 60 * 1000 || nbf != null && nbf.after(Date.from(now.plusSeconds(10)))) return false;
        String sub = claims.getSubject();
        Map<String, Object> chat = claims.getJSONObjectClaim("chat");
        return "shop.example.com".equals(claims.getIssuer()) && sub != null && !sub.isEmpty()
            && chat != null && chat.get("id") instanceof String id && !id.isEmpty() && id.equals(chatId); // of this chat
    }
    // endregion

    // region origin: Serve your own pages only, whatever origin they have
    static CorsFilter corsFilter() { // a @Bean: it answers other origins with 403
        CorsConfiguration ours = new CorsConfiguration();
        ours.setAllowedOrigins(List.of("https://shop.example.com")); // no patterns, no "*", no "null"
        ours.setAllowedMethods(List.of("POST"));
        ours.setAllowedHeaders(List.of("content-type"));
        ours.setAllowCredentials(true);
        UrlBasedCorsConfigurationSource source = new UrlBasedCorsConfigurationSource();
        source.registerCorsConfiguration("/kindly/token", ours);
        return new CorsFilter(source);
    }
    // endregion

    // region endpoint: The auth endpoint
    private static final Pattern IS_UUID =
        Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", Pattern.CASE_INSENSITIVE);

    @PostMapping("/kindly/token") // other methods get 405
    ResponseEntity<?> token(@RequestBody(required = false) byte[] body) throws Exception {
        User user = sessions.current(); // your own session lookup
        if (user == null) return ResponseEntity.status(401).body(Map.of("error", "not logged in"));
        Object chatId = parseObject(body).map(o -> o.get("chatId")).orElse(null); // nothing else is taken from it
        if (!(chatId instanceof String id) || !IS_UUID.matcher(id).matches()) {
            return ResponseEntity.badRequest().body(Map.of("error", "no chat id"));
        }
        return ResponseEntity.ok()
            .cacheControl(CacheControl.noStore())
            .header("X-Content-Type-Options", "nosniff")
            .body(Map.of("token", mintToken(user, id)));
    }
    // endregion

    // region signature: Verify Kindly-HMAC over the bytes that came
    boolean signedByKindly(byte[] body, String given, String algorithm) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        byte[] expected = Base64.getEncoder().encode(mac.doFinal(body));
        return given != null
            && MessageDigest.isEqual(expected, given.getBytes(StandardCharsets.UTF_8)) // in constant time
            && "HMAC-SHA-256 (base64 encoded)".equals(algorithm);
    }
    // endregion

    // region webhook: The webhook
    @PostMapping("/kindly/webhook")
    ResponseEntity<?> webhook(@RequestBody(required = false) byte[] raw, // bytes: an object would lose the signed form
            @RequestHeader(value = "Kindly-HMAC", required = false) String signature,
            @RequestHeader(value = "Kindly-HMAC-algorithm", required = false) String algorithm,
            @RequestHeader(value = "Authorization", required = false) String authorization) throws Exception {
        byte[] body = raw == null ? new byte[0] : raw;
        if (!signedByKindly(body, signature, algorithm)) return ResponseEntity.status(401).body(Map.of("error", "bad signature"));
        Optional<Map<String, Object>> message = parseObject(body);
        if (message.isEmpty()) return ResponseEntity.badRequest().body(Map.of("error", "not a JSON object"));
        if (authorization == null) return ResponseEntity.ok(Map.of("reply", "Please log in, and I look your order up."));
        Optional<JWTClaimsSet> claims = authorization.regionMatches(true, 0, "Bearer ", 0, 7)
            ? verifyToken(authorization.substring(7), message.get().get("chat_id")) : Optional.empty();
        if (claims.isEmpty()) return ResponseEntity.status(401).body(Map.of("error", "not a valid token"));
        return ResponseEntity.ok(Map.of("reply", greeting(claims.get())));
    }
    // endregion

    // region json: Read JSON that may be anything
    private static final ObjectMapper MAPPER = new ObjectMapper() // from 2.15 on it bounds the depth
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    static Optional<Map<String, Object>> parseObject(byte[] body) {
        try {
            return Optional.ofNullable(MAPPER.readValue(body, new TypeReference<Map<String, Object>>() {}));
        } catch (Exception e) {
            return Optional.empty(); // not JSON, no object, or nothing at all
        }
    }
    // endregion

    // region reply: Escape claims in a reply, and use verified addresses only
    static String greeting(JWTClaimsSet claims) {
        String name = claims.getClaim("name") instanceof String s ? s : "you";
        String news = Boolean.TRUE.equals(claims.getClaim("email_verified"))
            ? " News goes to " + HtmlUtils.htmlEscape(String.valueOf(claims.getClaim("email"))) + "." : "";
        return "Hello " + HtmlUtils.htmlEscape(name) + "! Your order is on its way." + news;
    }
    // endregion

    // region errors: Answer errors with a fixed text
    @ExceptionHandler(Exception.class) // also: server.error.include-stacktrace=never
    ResponseEntity<?> fixedText(Exception e) {
        if (e instanceof ErrorResponse bad) { // Spring's own, such as an unknown media type
            return ResponseEntity.status(bad.getStatusCode()).body(Map.of("error", "bad request"));
        }
        System.getLogger("kindly").log(System.Logger.Level.ERROR, "a request failed", e);
        return ResponseEntity.status(500).body(Map.of("error", "something went wrong"));
    }
    // endregion

    record User(String id, String name, String email, boolean emailVerified) {}

    interface Sessions {
        User current();
    }
}
