// A shop's auth endpoint and webhook, with ASP.NET Core and Microsoft.IdentityModel.JsonWebTokens.

using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.ConfigureKestrel(o => o.Limits.MaxRequestBodySize = 256 * 1024);
var app = builder.Build();
var kindly = new Kindly(app.Configuration);

// region errors: Answer errors with a fixed text
app.UseExceptionHandler(errors => errors.Run(context => // never UseDeveloperExceptionPage outside development
{
    Exception? error = context.Features.Get<IExceptionHandlerFeature>()?.Error;
    context.Response.StatusCode = error is BadHttpRequestException bad ? bad.StatusCode : 500; // such as too large
    return context.Response.WriteAsJsonAsync(new { error = "something went wrong" });
}));
// endregion

// region origin: Serve your own pages only, whatever origin they have
app.Use(async (context, next) =>
{
    string? origin = context.Request.Headers.Origin; // as a whole; "null" is not on the list either
    bool isToken = context.Request.Path == "/kindly/token";
    bool otherSite = origin is null && context.Request.Headers["Sec-Fetch-Site"] == "cross-site";
    if (isToken && (otherSite || origin is not null && !kindly.OurPages.Contains(origin)))
    {
        context.Response.StatusCode = 403;
        return;
    }
    if (isToken) context.Response.Headers.Vary = "Origin";
    if (isToken && origin is not null)
    {
        context.Response.Headers.AccessControlAllowOrigin = origin;
        context.Response.Headers.AccessControlAllowCredentials = "true";
        context.Response.Headers.AccessControlAllowMethods = "POST";
        context.Response.Headers.AccessControlAllowHeaders = "content-type";
    }
    if (isToken && HttpMethods.IsOptions(context.Request.Method)) context.Response.StatusCode = 204;
    else await next();
});
// endregion

// region endpoint: The auth endpoint
app.MapPost("/kindly/token", async (HttpContext context) => // other methods get 405
{
    User? user = kindly.UserOf(context); // your own session lookup
    if (user is null) return Results.Json(new { error = "not logged in" }, statusCode: 401);
    using JsonDocument? body = Kindly.ParseObject(await Kindly.ReadAsync(context.Request));
    string? chatId = body is not null && body.RootElement.TryGetProperty("chatId", out JsonElement id)
        && id.ValueKind == JsonValueKind.String ? id.GetString() : null; // nothing else is taken from the body
    if (chatId is null || !Regex.IsMatch(chatId, @"\A[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z"))
        return Results.Json(new { error = "no chat id" }, statusCode: 400);
    context.Response.Headers.CacheControl = "no-store";
    context.Response.Headers.XContentTypeOptions = "nosniff";
    return Results.Json(new { token = kindly.MintToken(user, chatId) });
});
// endregion

// region webhook: The webhook
app.MapPost("/kindly/webhook", async (HttpContext context) =>
{
    byte[] body = await Kindly.ReadAsync(context.Request);
    if (!kindly.SignedByKindly(context.Request, body)) return Results.Json(new { error = "bad signature" }, statusCode: 401);
    using JsonDocument? message = Kindly.ParseObject(body);
    if (message is null) return Results.Json(new { error = "not a JSON object" }, statusCode: 400);
    if (!context.Request.Headers.ContainsKey("Authorization"))
        return Results.Json(new { reply = "Please log in, and I look your order up." });
    string authorization = context.Request.Headers.Authorization.ToString(); // the only place it is read from
    string? chatId = message.RootElement.TryGetProperty("chat_id", out JsonElement id)
        && id.ValueKind == JsonValueKind.String ? id.GetString() : null;
    JsonElement? claims = authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
        ? await kindly.VerifyTokenAsync(authorization["Bearer ".Length..], chatId) : null;
    if (claims is null) return Results.Json(new { error = "not a valid token" }, statusCode: 401);
    return Results.Json(new { reply = Kindly.Greeting(claims.Value) });
});
// endregion

app.Run();

record User(string Id, string Name, string Email, bool EmailVerified);

class Kindly
{
    readonly RsaSecurityKey privateKey, publicKey;
    readonly byte[] secret;
    readonly JsonWebTokenHandler handler = new() { SetDefaultTimesOnTokenCreation = false };
    public readonly HashSet<string> OurPages;

    public Kindly(IConfiguration config)
    {
        RSA priv = RSA.Create(), pub = RSA.Create();
        priv.ImportFromPem(File.ReadAllText(config["PRIVATE_KEY"]!));
        pub.ImportFromPem(File.ReadAllText(config["PUBLIC_KEY"]!));
        (privateKey, publicKey) = (new RsaSecurityKey(priv), new RsaSecurityKey(pub));
        secret = Encoding.UTF8.GetBytes(config["KINDLY_HMAC_SECRET"]!);
        OurPages = [.. config["PAGE_ORIGINS"]!.Split(' ')];
    }

    public User? UserOf(HttpContext context) => context.Items["user"] as User;

    // region mint: Sign the token
    public string MintToken(User user, string chatId)
    {
        DateTime now = DateTime.UtcNow;
        return handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = "shop.example.com",
            IssuedAt = now,
            Expires = now.AddMinutes(5), // the default is an hour, which Kindly refuses
            Claims = new Dictionary<string, object>
            {
                ["sub"] = user.Id,
                ["name"] = user.Name,
                ["email"] = user.Email,
                ["email_verified"] = user.EmailVerified, // a bool
                ["chat"] = new Dictionary<string, object> { ["id"] = chatId, ["webhook_domains"] = new[] { "hooks.example.com" } },
            },
            SigningCredentials = new SigningCredentials(privateKey, SecurityAlgorithms.RsaSha256),
        });
    }
    // endregion

    // region verify: Verify the token
    public async Task<JsonElement?> VerifyTokenAsync(string token, string? chatId)
    {
        TokenValidationResult result = await handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = [SecurityAlgorithms.RsaSha256], // never what the token says
            IssuerSigningKey = publicKey,
            ValidIssuer = "shop.example.com",
            ValidateAudience = false, // Kindly's tokens have no aud
            ClockSkew = TimeSpan.FromSeconds(10), // the default is 5 minutes
        });
        if (!result.IsValid) return null;
        var jwt = (JsonWebToken)result.SecurityToken;
        if (Parse(jwt.EncodedHeader).TryGetProperty("crit", out _)) return null;
        JsonElement claims = Parse(jwt.EncodedPayload);
        return Right(claims, chatId) ? claims : null;
    }

    static JsonElement Parse(string segment) => JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(segment)).RootElement;
    // endregion

    // region claims: What the library does not check
    static bool Right(JsonElement claims, string? chatId)
    {
        if (Seconds(claims, "iat") is not long iat || Seconds(claims, "exp") is not long exp) return false;
        if (iat > DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 10 || exp <= iat || exp - iat > 15 * 60) return false;
        return Text(claims, "sub") is not null && claims.TryGetProperty("chat", out JsonElement chat)
            && Text(chat, "id") is string id && id == chatId; // of this chat
    }

    static long? Seconds(JsonElement o, string name) =>
        o.TryGetProperty(name, out JsonElement v) && v.ValueKind == JsonValueKind.Number && v.TryGetInt64(out long n) ? n : null;

    static string? Text(JsonElement o, string name) =>
        o.ValueKind == JsonValueKind.Object && o.TryGetProperty(name, out JsonElement v)
        && v.ValueKind == JsonValueKind.String && v.GetString() is { Length: > 0 } text ? text : null;
    // endregion

    // region signature: Verify Kindly-HMAC over the bytes that came
    public bool SignedByKindly(HttpRequest request, byte[] body)
    {
        string expected = Convert.ToBase64String(HMACSHA256.HashData(secret, body));
        string given = request.Headers["Kindly-HMAC"].ToString(); // two of them are joined, and match nothing
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(expected))
            && request.Headers["Kindly-HMAC-algorithm"] == "HMAC-SHA-256 (base64 encoded)";
    }
    // endregion

    public static async Task<byte[]> ReadAsync(HttpRequest request)
    {
        using var bytes = new MemoryStream();
        await request.Body.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    // region json: Read JSON that may be anything
    public static JsonDocument? ParseObject(byte[] body)
    {
        try
        {
            JsonDocument document = JsonDocument.Parse(body); // 64 levels at most
            return document.RootElement.ValueKind == JsonValueKind.Object ? document : null;
        }
        catch (JsonException)
        {
            return null; // not JSON
        }
    }
    // endregion

    // region reply: Escape claims in a reply, and use verified addresses only
    public static string Greeting(JsonElement claims)
    {
        string name = Text(claims, "name") ?? "you";
        bool verified = claims.TryGetProperty("email_verified", out JsonElement v) && v.ValueKind == JsonValueKind.True;
        string news = verified ? $" News goes to {WebUtility.HtmlEncode(Text(claims, "email"))}." : "";
        return $"Hello {WebUtility.HtmlEncode(name)}! Your order is on its way.{news}";
    }
    // endregion
}
