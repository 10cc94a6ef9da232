package reports

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestOnlyPicturesArePictures(t *testing.T) {
	good := samplePicture()
	if url, width, height := picture(good); url != good || width != 64 || height != 40 {
		t.Errorf("a PNG becomes %.40q of %d × %d", url, width, height)
	}
	svg := base64.StdEncoding.EncodeToString([]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`))
	for name, url := range map[string]string{
		"nothing":                "",
		"a page":                 "data:text/html;base64," + svg,
		"an SVG":                 "data:image/svg+xml;base64," + svg,
		"an SVG that says JPEG":  "data:image/jpeg;base64," + svg,
		"a PNG that says JPEG":   strings.Replace(good, "png", "jpeg", 1),
		"an address":             "https://evil.example/x.png",
		"base64 of another kind": good + "\"><script>",
		"one that is too large":  good + strings.Repeat("A", MaxScreenshot),
	} {
		if got, _, _ := picture(url); got != "" {
			t.Errorf("%s is shown as %.60q", name, got)
		}
	}
	if Screenshot([]byte(svg)) != "" || Screenshot(make([]byte, MaxScreenshot)) != "" {
		t.Error("what is no picture was made one")
	}
}

func TestMomentsAreOnTheLine(t *testing.T) {
	moments := newTimeline(Run{Timeline: []Moment{
		{At: sampleTime}, {At: sampleTime.Add(500 * time.Millisecond), DurationMS: 250},
		{At: sampleTime.Add(time.Second), OK: true}, {At: sampleTime.Add(-time.Hour), DurationMS: -1},
	}[:3]}).Moments
	for i, want := range []string{"+0 ms 0.0 1.5 failed", "+500 ms 50.0 25.0 failed", "+1.0 s 98.5 1.5 passed"} {
		m := moments[i]
		if got := strings.Join([]string{m.After, m.Left, m.Length, string(m.Sign)}, " "); got != want {
			t.Errorf("moment %d stands at %q, want %q", i, got, want)
		}
	}
	odd := newTimeline(Run{Timeline: make([]Moment, 2*maxHTMLMoments)})
	if len(odd.Moments) != maxHTMLMoments || odd.Moments[0].Left != "0.0" {
		t.Errorf("%d moments, the first at %s", len(odd.Moments), odd.Moments[0].Left)
	}
}

func TestTokensOfAnExchangeAreDecoded(t *testing.T) {
	const header, claims = "eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiI0MiIsImNoYXQiOnsiaWQiOiJjMSJ9fQ"
	both := decodedToken{"{\n  \"alg\": \"RS256\"\n}", "{\n  \"sub\": \"42\",\n  \"chat\": {\n    \"id\": \"c1\"\n  }\n}"}
	for name, row := range map[string]struct {
		e    Evidence
		want []decodedToken
	}{
		"in an answer":    {Evidence{Response: &Response{Body: `{"token":"` + header + "." + claims + `.[removed]"}`}}, []decodedToken{both}},
		"in a header":     {Evidence{Request: &Request{Headers: []Header{{"Authorization", "Bearer " + header + "." + claims + ".[removed]"}}}}, []decodedToken{both}},
		"twice the same":  {Evidence{Request: &Request{URL: "/?t=" + header + "." + claims + "."}, Response: &Response{Body: header + "." + claims + "."}}, []decodedToken{both}},
		"no token":        {Evidence{Response: &Response{Body: "eyeglasses.example.com"}}, nil},
		"no JSON":         {Evidence{Response: &Response{Body: "eyJhbGciOiJSUzI1N.eyJzdWIiOiI0M.x"}}, nil},
		"nothing at all":  {Evidence{}, nil},
		"nested too deep": {Evidence{Response: &Response{Body: header + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"a":`+strings.Repeat("[", 8000)+strings.Repeat("]", 8000)+"}")) + ".x"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := decodedTokens(row.e)
			if len(got) != len(row.want) || len(got) > 0 && got[0] != row.want[0] {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}

func TestHTMLShowsTheWayOfTheToken(t *testing.T) {
	run := sampleRun()
	failed := withOutcome(run.Checks, Failed)[0]
	failed.Evidence[0].Response.Body = `{"token":"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiJ9.[removed]"}`
	for range maxFirst + 2 {
		run.Checks = append(run.Checks, failed)
	}
	source, doc := parseHTML(t, finished(run))
	text := regexp.MustCompile(`\s+`).ReplaceAllString(content(elements(doc, "body")[0]), " ")
	for _, want := range []string{
		"The way of the token +0 ms page ✔ Opened https://staging.example.com/ 84 ms", "+160 ms endpoint", "✘ A message and the token went to",
		"3 more failed Start above", `The token: header, and claims. Its signature is left out { "alg": "RS256" } { "sub": "42" }`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	img := elements(doc, "img")
	if len(img) != 1 || attribute(img[0], "src") != samplePicture() || attribute(img[0], "alt") == "" || attribute(img[0], "width") != "64" {
		t.Errorf("%d pictures: %v", len(img), img)
	}
	run.Screenshot = ""
	if without, _ := parseHTML(t, finished(run)); strings.Contains(without, "img-src") || !strings.Contains(source, "img-src data:;") {
		t.Error("pictures are allowed though there is none, or forbidden though there is one")
	}
}
