package subject

import (
	"net/http"
	"testing"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// What answers in a webhook's place is known by what it says, and no webhook's own
// refusal is taken for it.
func TestWhatAnswersInAWebhooksPlaceIsKnown(t *testing.T) {
	for _, row := range []struct {
		status      int
		header      string
		value, body string
		cause       string // "": it may be the webhook itself
	}{
		{401, "Www-Authenticate", `Bearer realm="shop.azurewebsites.net" authorization_uri="https://login.windows.net/3f1/oauth2/authorize"`, "", "gateway-refuses"},
		{401, "", "", "You do not have permission to view this directory or page.", "gateway-refuses"},
		{401, "X-Amzn-Errortype", "UnauthorizedException", `{"message":"Unauthorized"}`, "gateway-takes-token"},
		{403, "X-Amzn-Errortype", "AccessDeniedException", `{"Message":"User is not authorized to access this resource with an explicit deny"}`, "gateway-takes-token"},
		{401, "", "", `{"statusCode":401,"message":"Unauthorized. Access token is missing or invalid."}`, "gateway-takes-token"},
		{401, "", "", `{"fault":{"faultstring":"Invalid access token","detail":{"errorcode":"oauth.v2.InvalidAccessToken"}}}`, "gateway-takes-token"},
		{400, "", "", `{"error":"Authorization field missing"}`, "gateway-takes-token"},
		{401, "", "", `{"code":"900902","message":"Missing Credentials"}`, "gateway-takes-token"},
		{401, "", "", `{"message":"HMAC signature cannot be verified, a valid date or x-date header is required for HMAC Authentication"}`, "gateway-refuses"},
		{401, "Www-Authenticate", "hmac", `{"message":"Unauthorized"}`, "gateway-refuses"},
		{401, "", "", `{"data":null,"error":{"status":401,"name":"UnauthorizedError","message":"Missing or invalid credentials","details":{}}}`, "gateway-takes-token"},
		{403, "", "", `{"code":"jwt_auth_invalid_token","message":"Signature verification failed","data":{"status":403}}`, "gateway-takes-token"},
		{401, "", "", `{"code":"PGRST301","message":"JWSError JWSInvalidSignature"}`, "gateway-takes-token"},
		{401, "", "", `{"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}`, "gateway-takes-token"},
		{401, "", "", "<html><center><h1>401 Authorization Required</h1></center><hr><center>nginx</center></html>", "gateway-refuses"},
		{403, "", "", `<title>Sign In</title><form action="/oauth2/start">`, "gateway-refuses"},
		{403, "", "", "<title>Web App - Unavailable</title><h1>Error 403 - This web app is stopped.</h1>", "gateway-without-service"},
		{500, "", "", "<title>HTTP Error 500.30 - ASP.NET Core app failed to start</title>", "gateway-without-service"},
		{500, "", "", "<h1>Web application could not be started by the Phusion Passenger application server</h1>", "gateway-without-service"},
		{503, "", "", "<h1>Briefly unavailable for scheduled maintenance. Check back in a minute.</h1>", "gateway-without-service"},
		{502, "", "", "error decoding lambda response: invalid status code returned from lambda: 0", "gateway-without-service"},
		{404, "", "", "File not found.\n", "webhook-not-found"},
		{404, "", "", `{"message":"no Route matched with those values"}`, "webhook-not-found"},
		{404, "", "", "404 page not found\n", "webhook-not-found"},
		{401, "", "", `{"message":"Unauthorized"}`, ""},
		{401, "", "", `{"error":"INVALID_TOKEN"}`, ""},
		{401, "Www-Authenticate", `Bearer error="invalid_token"`, "", ""},
		{401, "", "", `{"error":"invalid credentials"}`, ""},
		{403, "", "", `{"error":"signature"}`, ""},
		{404, "", "", `{"error":"order not found."}`, ""},
		{500, "", "", "the job failed to start", ""},
		{503, "", "", `{"error":"try again"}`, ""},
	} {
		header := http.Header{}
		if row.header != "" {
			header.Set(row.header, row.value)
		}
		got := ""
		if f := frontOf(wire.Exchange{Response: &wire.Response{Status: row.status, Header: header, Body: []byte(row.body)}}); f != nil {
			got = f.cause
		}
		if got != row.cause {
			t.Errorf("%d %s %q: %q, want %q", row.status, row.value, row.body, got, row.cause)
		}
	}
}
