// Package console holds the pages on which developers watch the mock: the debug
// console at /, the inbox at /inbox and the checks at /checks. They are plain HTML, CSS and JavaScript
// modules, served as they are in the folder assets; there is no build step.
//
//	mux.Handle("/", console.Handler()) // beside the mock's own routes
//
// The pages hold no data: they read the mock's admin API at the same origin, and
// what protects that API protects them. Where it wants a bearer token, open a
// page as /#token=…: the page keeps the token in the tab's sessionStorage and
// takes it out of the address bar.
//
// All that they show is foreign: pages, tokens and webhooks wrote it. It only ever
// becomes text, never markup, and a strict Content-Security-Policy stands
// behind that. Pictures of users are not loaded, not even on a click: that would
// open img-src to every host, which a hostile token would choose. The picture's
// address is a link.
//
// Deep links: /#/event/SEQ (also /#/delivery/SEQ), /inbox#/chat/ID,
// /inbox#/user/SUB, /checks#/check/ID and /checks#/cause/ID; ?q=… behind any is the
// filter.
package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets
var files embed.FS

// policy lets the pages load what is at their own origin, and nothing else.
// Trusted Types make sure that no script writes markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// pages are the paths that are not below /assets/.
var pages = map[string]string{"/": "console.html", "/inbox": "inbox.html", "/checks": "checks.html"}

// An asset is a file as it is served.
type asset struct {
	contentType, etag string
	body              []byte
}

// Handler serves the console at /, the inbox at /inbox, the checks at /checks, and
// their parts below /assets/. Anything else is not found.
func Handler() http.Handler {
	assets := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "this is a page: GET it", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Content-Type", a.contentType)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache") // ask again: the next version has other files
		h.Set("ETag", a.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
	})
}

// load reads the embedded files by the path at which they are served.
func load() map[string]asset {
	assets := map[string]asset{}
	err := fs.WalkDir(files, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		assets["/"+name] = asset{contentType(name), `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, body}
		return nil
	})
	if err != nil {
		panic("console: reading what is in the binary: " + err.Error())
	}
	for at, name := range pages {
		assets[at] = assets["/assets/"+name]
		delete(assets, "/assets/"+name)
	}
	return assets
}

// contentType does not ask the system's table, which may say anything about .js.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return mime.TypeByExtension(strings.ToLower(ext))
	}
}
