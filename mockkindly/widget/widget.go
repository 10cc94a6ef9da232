// Package widget holds the chat client that pages load in place of Kindly's:
// plain JavaScript, served as kindly-chat.js and kindly-chat-pure.js.
//
// It does in public what Kindly's own client is documented to do — read
// window.kindlyOptions, connect, call getAuthToken with the chat's id, announce
// itself with kindly:load, offer window.kindlyChat — and speaks to the mock
// over the mock's own API. Rules that it takes care to keep:
//
//   - The token goes to the mock's token route and nowhere else: not into the
//     console, storage, the document or a URL.
//   - It needs no more of a Content-Security-Policy than the client's host in
//     script-src and the API's host in connect-src: styles are constructable
//     style sheets, and there is no eval and no inline handler.
//   - It writes nothing to the console, so that whatever is there is the page's; but
//     for the builds Telling and TellingPure, which are for developers.
//   - Replies may hold simple HTML. They are parsed into a document of their own, and
//     what is shown is built anew from a short list of elements (markup.js). Pictures
//     load on a click only: what a page's policy forbids of them is not the page's fault.
//
// Serve it:
//
//	mux.HandleFunc("GET /kindly-chat.js", func(w http.ResponseWriter, r *http.Request) {
//		w.Header().Set("Content-Type", widget.ContentType)
//		w.Write(widget.Script(nil))
//	})
//
// The API's origin follows from where the script came from: Kindly's hosts mean
// https://bot.kindly.ai, any other host means that host itself.
package widget

import (
	"bytes"
	_ "embed"
)

// ContentType is the media type of both builds (RFC 9239).
const ContentType = "text/javascript; charset=utf-8"

var (
	//go:embed client.js
	client []byte
	//go:embed token.js
	token []byte
	//go:embed chat.js
	chat []byte
	//go:embed style.js
	style []byte
	//go:embed markup.js
	markup []byte
	//go:embed message.js
	message []byte
	//go:embed panel.js
	panel []byte
	//go:embed headless.js
	headless []byte
	//go:embed needs.js
	needs []byte
	//go:embed quiet.js
	quiet []byte
	//go:embed tell.js
	tell []byte
)

// Script returns kindly-chat.js: the client with its bubble and chat panel, in a
// manner (nil: our own). The caller owns the slice.
func Script(m *Manner) []byte {
	return build("kindly-chat", m.prefix(), quiet, token, chat, style, markup, message, panel, needs, client)
}

// Pure returns kindly-chat-pure.js: the same client without anything to see,
// for pages that draw their own chat. The caller owns the slice.
func Pure(m *Manner) []byte {
	return build("kindly-chat-pure", m.prefix(), quiet, token, chat, headless, needs, client)
}

// Telling is Script, but for one thing: what the mock advises (the member advice of
// its answers) is said in the browser's console. The caller owns the slice.
func Telling(m *Manner) []byte {
	return build("kindly-chat", m.prefix(), tell, token, chat, style, markup, message, panel, needs, client)
}

// TellingPure is Pure in the manner of Telling. The caller owns the slice.
func TellingPure(m *Manner) []byte {
	return build("kindly-chat-pure", m.prefix(), tell, token, chat, headless, needs, client)
}

// build joins parts into one script with a scope of its own.
func build(name string, parts ...[]byte) []byte {
	var b bytes.Buffer
	b.WriteString("(() => {\n\"use strict\";\nconst BUILD = \"" + name + "\";\n\n")
	for _, p := range parts {
		b.Write(p)
		b.WriteByte('\n')
	}
	b.WriteString("})();\n")
	return b.Bytes()
}
