package docs_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

var picture = regexp.MustCompile(`!\[([^\]]*)\]\((docs/pictures/[a-z]+\.(svg|png))\)`)

// Each of the three faces is shown, in words too, small enough for a clone, and with
// nothing of the machine that it was taken on.
func TestTheReadmeShowsItsThreeFaces(t *testing.T) {
	shown := map[string]bool{}
	for _, m := range picture.FindAllStringSubmatch(pages(t)["../README.md"], -1) {
		shown[m[2]] = true
		data, err := os.ReadFile("../" + m[2])
		if err != nil {
			t.Error(err)
			continue
		}
		if len(data) > 200<<10 || len(m[1]) < 30 {
			t.Errorf("%s has %d bytes, and is described by %q", m[2], len(data), m[1])
		}
		if m[3] == "png" {
			if _, err := png.Decode(bytes.NewReader(data)); err != nil {
				t.Errorf("%s: %v", m[2], err)
			}
			continue
		}
		for d := xml.NewDecoder(bytes.NewReader(data)); err == nil; {
			_, err = d.Token()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", m[2], err)
		}
		for _, machine := range []string{"/tmp/", "/home/", "/root/", "/Users/", "<script", "<image"} {
			if strings.Contains(string(data), machine) {
				t.Errorf("%s holds %s", m[2], machine)
			}
		}
	}
	for _, want := range []string{"docs/pictures/terminal.svg", "docs/pictures/report.png", "docs/pictures/console.png"} {
		if !shown[want] {
			t.Errorf("the README does not show %s: make pictures takes it", want)
		}
	}
}
