package subject

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/target"
)

func TestCredentialsAreKnownByTheirNames(t *testing.T) {
	const secret = "opaque0123456789abcdef"
	r := &redactor{}
	for _, name := range []string{"X-CSRFToken", "X-Auth-Token", "apikey", "X-Session-Id", "X-Amz-Security-Token"} {
		if got := r.headers(http.Header{name: {secret}}); strings.Contains(got[0].Value, secret) {
			t.Errorf("the header %s shows %q", name, got[0].Value)
		}
	}
	for _, body := range []string{
		`{"access_token":"` + secret + `"}`, `{"user":{"sessionId": "` + secret + `"}}`, `{"csrfToken" : "` + secret + `","a":1}`,
	} {
		if got := r.body([]byte(body), ""); strings.Contains(got, secret) || !strings.Contains(got, redact.Removed) {
			t.Errorf("the body shows %s", got)
		}
	}
	for _, raw := range []string{
		"https://a.example/cb?x=1&code=" + secret + "&state=" + secret, "https://a.example/#access_token=" + secret + "&token_type=bearer",
		"https://u:" + secret + "@a.example/?session_id=" + secret,
	} {
		if got := redact.URL(raw); strings.Contains(got, secret) || !strings.HasPrefix(got, "https://a.example/") {
			t.Errorf("redact.URL(%q) = %q", raw, got)
		}
	}
}

func TestWhatIsNoCredentialIsShown(t *testing.T) {
	r := &redactor{}
	for _, raw := range []string{"https://a.example/auth?chat_id=1&b=2;c", "https://a.example/#/chat", "/login?next=%2Fa%20b", "https://a.example/?token=ey.a"} {
		if got := redact.URL(raw); got != raw && !strings.Contains(raw, "token") {
			t.Errorf("redact.URL(%q) = %q", raw, got)
		}
	}
	const body = `{"reply":"your order has shipped","token":"eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.","exchange_slug":"orders-and-more"}`
	if got := r.body([]byte(body), ""); got != body {
		t.Errorf("the body became %s", got)
	}
}

func TestTokensOfAuthorizationAreShownWithoutSignature(t *testing.T) {
	r := &redactor{}
	for value, want := range map[string]string{
		"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.":        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.",
		"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0":         "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0",
		"Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbg": "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0.[removed]",
		"Bearer opaque-session":                              "Bearer [removed]",
		"Bearer eyOpaque.session.with.dots.and.more":         "Bearer [removed]",
		"Bearer eyJpZCI6MX0.c2lnbmF0dXJlb2Zh":                "Bearer [removed]",
		"Basic eyJhOmI":                                      "Basic [removed]",
	} {
		if got := r.header("Authorization", value); got != want && !strings.HasPrefix(got, "Bearer eyOpaque.session.[removed]") {
			t.Errorf("%q is shown as %q, want %q", value, got, want)
		}
	}
}

func TestFieldsOfFormsAreKnownByTheirNames(t *testing.T) {
	const secret = "s3cr3t"
	part := func(name string) string {
		return "--b0und\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + secret + "\r\n--not the boundary " + secret + "\r\n"
	}
	for name, row := range map[string]struct{ contentType, body, kept string }{
		"Django":                 {"application/x-www-form-urlencoded", "csrfmiddlewaretoken=" + secret + "&chat_id=c1", "chat_id=c1"},
		"Laravel":                {"application/x-www-form-urlencoded; charset=utf-8", "chat_id=c1&_token=" + secret, "chat_id=c1"},
		"Rails":                  {"application/x-www-form-urlencoded", "authenticity_token=" + secret + "&chat%5Bid%5D=c1", "chat%5Bid%5D=c1"},
		"a name that is escaped": {"application/x-www-form-urlencoded", "user%5Bpassw%6Frd%5D=" + secret + "&a=1", "a=1"},
		"no content type":        {"", "_token=" + secret + "&chat_id=c1", "chat_id=c1"},
		"multipart":              {"multipart/form-data; boundary=b0und", part("_token") + "--b0und\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\nc1\r\n--b0und--", "c1\r\n--b0und--"},
		"multipart, cut off":     {"multipart/form-data; boundary=b0und", part("authenticity_token"), "b0und"},
		"multipart, more heads":  {"multipart/form-data; boundary=b0und", "--b0und\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name=_token\r\nX-A: b\r\n\r\n" + secret + "\r\n--b0und--", "X-A: b"},
		"a page's form":          {"text/html", `<form><input type="hidden" name="csrfmiddlewaretoken" value="` + secret + `"><input name=q value="books">`, `value="books"`},
		"a page's head":          {"text/html", `<meta content='` + secret + `' name='csrf-token'><meta name="description" content="books">`, `content="books"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := (&redactor{}).body([]byte(row.body), row.contentType)
			if strings.Contains(got, secret) || !strings.Contains(got, redact.Removed) || !strings.Contains(got, row.kept) {
				t.Errorf("the body shows %q", got)
			}
		})
	}
	for contentType, body := range map[string]string{
		"application/x-www-form-urlencoded": "chat_id=c1&message=hello+there",
		"multipart/form-data; boundary=b":   "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\nc1\r\n--b--",
		"text/html":                         `<input name="q" value="books">`,
		"":                                  "tokenless text = is no form",
	} {
		if got := (&redactor{}).body([]byte(body), contentType); got != body {
			t.Errorf("%q became %q", body, got)
		}
	}
}

// A second user logs in when the first one's requests were judged long ago.
func TestWhatIsLearntLateIsHiddenInEarlierEvidence(t *testing.T) {
	const late, astride = "s3ssion/of+Grace", "a-s3cret-at-the-end"
	token := "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0." + strings.Repeat("c2lnbmF0dXJl", 4)
	r := &redactor{}
	ev := r.Evidence(Evidence{Title: "as " + late, Exchange: wire.Exchange{
		Request: wire.Request{Method: "GET", URL: "https://a.example/?q=" + url.QueryEscape(late), Header: http.Header{"X-User": {late}}},
		Response: &wire.Response{Status: 200, Body: []byte(`{"a":"s3ssion\/of\u002bGrace","b":"` + token[strings.LastIndex(token, ".")+1:] + `"}` +
			strings.Repeat("x", maxBody-120) + astride)},
	}})
	run := reports.Run{
		Checks:   []reports.Check{{ID: "AUTH-A", Requirement: "Not " + late, Actual: late, Evidence: []reports.Evidence{ev}, Outcome: reports.Failed, Repeat: "run " + late}},
		Timeline: []reports.Moment{{Title: late, Kind: reports.MomentPage}}, Notes: []reports.Note{{Text: late}}, Problem: late,
		Target: reports.Target{Name: late, Args: []string{"run", late}},
	}
	r.Learn(late, astride)
	r.see(wire.Exchange{Request: wire.Request{Header: http.Header{"authorization": {"Bearer " + token}}}})
	r.Again(&run)
	requirement, name := run.Checks[0].Requirement, run.Target.Name
	run.Checks[0].Requirement, run.Target.Name = "", ""
	text, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"s3ssion", "Grace", "c2lnbmF0", "a-s3cret"} {
		if strings.Contains(string(text), s) {
			t.Errorf("%s is still in %.600s", s, text)
		}
	}
	if run.Checks[0].ID != "AUTH-A" || run.Checks[0].Outcome != reports.Failed || requirement != "Not "+late || name != late || strings.Count(string(text), redact.Removed) < 9 {
		t.Errorf("%s, %q, %q", text, requirement, name)
	}
}

func TestOrdinaryHeadersOfAnEndpointAreNoSecrets(t *testing.T) {
	s := Open(t.Context(), target.Target{Secrets: []string{"example", "sh0p-key"}, Endpoint: &target.EndpointConfig{URL: "https://shop.example.com/token", Header: http.Header{
		"Content-Type": {"application/json"}, "X-Gateway": {"gateway-key"}}}}, Options{})
	defer s.Close()
	if got := s.Redact.Text("application/json of shop.example.com: gateway-key, sh0p-key"); got != "application/json of shop.example.com: [removed], [removed]" {
		t.Errorf("shown: %s", got)
	}
}
