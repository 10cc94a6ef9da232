package reports

import (
	"bytes"
	"encoding/base64"
	"image"
	_ "image/jpeg" // screenshots are JPEG or PNG
	_ "image/png"
	"strings"
	"time"
)

// A Moment is one step on the way of the token: what the page, the auth
// endpoint, Kindly and the webhooks did, in the order in which they did it.
type Moment struct {
	At         time.Time  `json:"at"`
	Kind       MomentKind `json:"kind"`
	Title      string     `json:"title"`
	Detail     string     `json:"detail,omitempty"`
	DurationMS int64      `json:"duration_ms,omitempty"` // from At on
	OK         bool       `json:"ok"`                    // it went as it should
}

// A MomentKind is the part of the way that a Moment belongs to.
type MomentKind string

const (
	MomentPage     MomentKind = "page"     // the page was opened, the chat client started
	MomentCallback MomentKind = "callback" // getAuthToken was called, and settled
	MomentEndpoint MomentKind = "endpoint" // the page asked the auth endpoint for the token
	MomentVerify   MomentKind = "verify"   // the token was judged as Kindly would
	MomentForward  MomentKind = "forward"  // a message and the token went to a webhook
	MomentError    MomentKind = "error"    // the page failed at something meanwhile
)

// String is the kind as it is written.
func (k MomentKind) String() string { return string(k) }

// MaxScreenshot bounds Run.Screenshot, in bytes.
const MaxScreenshot = 300_000

// Screenshot makes the data URL that Run.Screenshot holds of a JPEG or PNG; ""
// if the picture is neither, or too large.
func Screenshot(picture []byte) string {
	_, format, err := image.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return ""
	}
	url := "data:image/" + format + ";base64," + base64.StdEncoding.EncodeToString(picture)
	if len(url) > MaxScreenshot {
		return ""
	}
	return url
}

// picture checks a data URL that may come from anywhere, and returns it made
// anew, with the picture's size in pixels; "" if it holds no picture.
func picture(dataURL string) (url string, width, height int) {
	kind, encoded, ok := strings.Cut(dataURL, ";base64,")
	if !ok || len(dataURL) > MaxScreenshot || kind != "data:image/jpeg" && kind != "data:image/png" {
		return "", 0, 0
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", 0, 0
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || "data:image/"+format != kind {
		return "", 0, 0
	}
	return Screenshot(raw), config.Width, config.Height
}
