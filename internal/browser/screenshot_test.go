package browser_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// What must not be seen is red on this page, and what may be seen is blue.
const secretive = `<style>
	* { color: #00f; font: bold 24px sans-serif; background: #fff; border: 0; outline: 0; }
	.secret, input, textarea { color: #f00; width: 380px; }
</style>
<p>An ordinary text.
<p class=secret>eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl
<div id=host></div><div id=shut></div>
<input type=text value="hunter2-password" autocomplete=current-password>
<textarea rows=1>typed by somebody</textarea>
<iframe srcdoc="<body style='background:#f00'>" width=100 height=40></iframe>
<script>
	host.attachShadow({mode: "open"}).innerHTML = '<p style="color:#f00;background:#fff;font:bold 24px sans-serif">eyJ0.in.shadow';
	host.shadowRoot.adoptedStyleSheets = [new CSSStyleSheet()];
	shut.attachShadow({mode: "closed"}).innerHTML = '<p style="color:#f00;background:#fff;font:bold 24px sans-serif">eyJ0.in.closed<br><input value=typed style="color:#f00;background:#fff">';
	document.title = "ready";
	window.look = () => { throw new Error("the page is in the way"); };
	Document.prototype.createTreeWalker = null;
</script>`

func isToken(text string) bool { return strings.Contains(text, "eyJ") }

func TestScreenshotsCoverSecrets(t *testing.T) {
	s := newSite(t, nil)
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'")
		writeHTML(w, secretive)
	})
	p := visit(t, s.URL, nil)
	red, blue := colours(t, p, isToken)
	if red > 0 || blue < 500 {
		t.Errorf("%d pixels of secrets and %d of ordinary text are seen", red, blue)
	}
	if red, _ := colours(t, p, func(string) bool { return false }); red < 500 {
		t.Errorf("of two visible secrets %d pixels are seen: the test sees nothing", red)
	}
	state, err := p.State(withTimeout(t))
	if err != nil || state.Title != "ready" {
		t.Errorf("the page is another: %+v, %v", state, err)
	}
}

// colours counts the red and the blue pixels of a screenshot.
func colours(t *testing.T, p *browser.Page, secret func(string) bool) (red, blue int) {
	t.Helper()
	shot, err := p.Screenshot(withTimeout(t), secret)
	if err != nil {
		t.Fatal(err)
	}
	if len(shot) > browser.MaxScreenshot {
		t.Errorf("it has %d bytes", len(shot))
	}
	img, err := jpeg.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			switch r, g, b := rgb(img, x, y); {
			case r > 150 && g < 110 && b < 110:
				red++
			case b > 150 && g < 110 && r < 110:
				blue++
			}
		}
	}
	return red, blue
}

func rgb(img image.Image, x, y int) (r, g, b uint32) {
	r, g, b, _ = img.At(x, y).RGBA()
	return r >> 8, g >> 8, b >> 8
}

func TestScreenshotsThatCannotBeCoveredAreNotTaken(t *testing.T) {
	for name, body := range map[string]string{
		"too much text": `<div hidden id=d></div><script>for (let i = 0; i < 501; i++) d.append(document.createElement("p").appendChild(new Text("w".repeat(4000))).parentNode)</script>`,
		"a page that writes secrets all the time": `<p id=p>x</p><script>
			setInterval(() => { p.firstChild.remove(); p.append("eyJ" + Math.random()); }, 1)</script>`,
	} {
		t.Run(name, func(t *testing.T) {
			p := visit(t, newSite(t, map[string]string{"/": body}).URL, nil)
			if shot, err := p.Screenshot(withTimeout(t), isToken); err == nil {
				t.Errorf("a screenshot of %d bytes was taken", len(shot))
			}
		})
	}
}
