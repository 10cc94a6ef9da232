package catalogue

import "testing"

// What languages say of a file that is not there names it, also by a short path: whoever
// reads it knows where keys lie.
func TestAnErrorOfTheSystemShowsAFile(t *testing.T) {
	for body, leaks := range map[string]bool{
		`{"error":"open keys/main.pem: no such file or directory"}`:                           true,
		`{"error":"stat /app/key.pem: permission denied"}`:                                    true,
		`Error: ENOENT: no such file or directory, open 'keys/kid-1.pem'`:                     true,
		`{"detail": "[Errno 2] No such file or directory: 'keys/kid-1.pem'"}`:                 true,
		"file_get_contents(keys/kid-1.pem): Failed to open stream: No such file or directory": true,
		"No such file or directory @ rb_sysopen - keys/kid-1.pem":                             true,
		"java.io.FileNotFoundException: keys/kid-1.pem (No such file or directory)":           true,
		"Could not find file 'keys\\kid-1.pem'.":                                              true,
		`{"error":"/tmp/build/keys/main.pem cannot be read"}`:                                 true,
		`<html><head><script src="/app/assets/index-B2x.js"></script><style>a{background:url('/app/img/a.png')}</style></head><body><a href='/home/help/contact.html'>Help</a><script>load("/app/static/chunks/main.js")</script></body></html>`: false,
		`<html><body><script src="/app/a/b.js"></script><pre>cannot read /srv/shop/config/keys.yml</pre></body></html>`:                                                                                                                          true,
		`{"error":"<FileNotFound: /srv/shop/config/keys.yml>"}`:                                                                   true,
		`<html><script id="__NEXT_DATA__" type="application/json">{"err":{"file":"/srv/shop/pages/api/auth.ts"}}</script></html>`: true,
		`<html><body>Not found<!-- /srv/shop/views/404.html --></body></html>`:                                                    true,
		`{"error":"no such key","file":"\/var\/www\/html\/token.php"}`:                                                            true,
		`{"trace":"#0 token.php(12): issue()\n#1 {main}"}`:                                                                        true,
		`{"error":"unauthorized"}`: false,
		`{"error":"We are open from 9 to 5: permission denied to weekend orders"}`:                                             false,
		`{"reply":"No such file or directory in your order"}`:                                                                  false,
		`{"error":"connect failed","config":{"user":"shop","password":"tr0ub4dor"}}`:                                           true,
		`{"error":"upstream","api_key":"9f2c7be1a0d4"}`:                                                                        true,
		`<pre>DB_PASSWORD = "tr0ub4dor"</pre>`:                                                                                 true,
		`{"errors":{"password":"required"}}`:                                                                                   false,
		`{"errors":{"password":"must have 8 letters"}}`:                                                                        false,
		`<html><script>const words = {password: "Passwort"}; firebase.initializeApp({apiKey: "AIzaSyA-91_x"})</script></html>`: false,
		`{"reply":"Read more at https://shop.example/tmp/a/b.html"}`:                                                           false,
	} {
		if what := leakIn([]byte(body)); (what != "") != leaks {
			t.Errorf("%s: it shows %q, want %t", body, what, leaks)
		}
	}
}
