package advice_test

import (
	"net/http"
	"testing"

	"github.com/kindlytest/kindlytest/internal/advice"
)

func TestRecognise(t *testing.T) {
	type answer struct {
		status  int
		header  http.Header
		cookies []string
		body    string
	}
	plain := http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"}}
	for _, row := range []struct {
		name    string
		answers []answer
		want    string
	}{
		{"Express says so", []answer{{200, http.Header{"X-Powered-By": {"Express"}}, nil, ""}}, "node-jsonwebtoken"},
		{"Express's session cookie", []answer{{200, nil, []string{"theme", "connect.sid"}, ""}}, "node-jsonwebtoken"},
		{"Django's CSRF cookie", []answer{{200, http.Header{"Set-Cookie": {"csrftoken=x; Path=/"}}, nil, ""}}, "python-pyjwt"},
		{"gunicorn", []answer{{200, http.Header{"Server": {"gunicorn"}}, nil, ""}}, "python-pyjwt"},
		{"PHP's session cookie", []answer{{200, nil, []string{"PHPSESSID"}, ""}}, "php-firebase-jwt"},
		{"Laravel", []answer{{200, http.Header{"Set-Cookie": {"laravel_session=x"}}, nil, ""}}, "php-firebase-jwt"},
		{"a servlet's session cookie", []answer{{200, nil, []string{"JSESSIONID"}, ""}}, "java-nimbus"},
		{"Spring's error", []answer{{404, nil, nil, `{"timestamp":"2026-01-01","status":404,"error":"Not Found","path":"/x"}`}}, "java-nimbus"},
		{"Kestrel", []answer{{200, http.Header{"Server": {"Kestrel"}}, nil, ""}}, "csharp-microsoft"},
		{"ASP.NET Core's cookie", []answer{{200, nil, []string{".AspNetCore.Session"}, ""}}, "csharp-microsoft"},
		{"Go's http.Error", []answer{{405, plain, nil, "Method Not Allowed\n"}}, "go-golang-jwt"},
		{"the stronger signs count", []answer{{405, plain, nil, "no\n"}, {200, nil, []string{"PHPSESSID"}, ""}}, "php-firebase-jwt"},
		{"a session cookie that many have", []answer{{200, nil, []string{"sessionid"}, ""}}, ""},
		{"two stacks alike", []answer{{200, http.Header{"Server": {"Kestrel"}}, []string{"PHPSESSID"}, ""}}, ""},
		{"nginx hides what is behind it", []answer{{200, http.Header{"Server": {"nginx"}}, []string{"session"}, `{"token":""}`}}, ""},
		{"a good answer is no error page", []answer{{200, nil, nil, "<pre>Cannot GET /x</pre>"}}, ""},
		{"nothing", nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var s advice.Signs
			for _, a := range row.answers {
				s.See(a.status, a.header, a.cookies, []byte(a.body))
			}
			got, signs := s.Stack()
			if got != row.want || (len(signs) > 0) != (got != "") {
				t.Errorf("it is %q (%q), want %q", got, signs, row.want)
			}
		})
	}
}

func FuzzSigns(f *testing.F) {
	f.Add(404, "X-Powered-By", "Express", "connect.sid", "<pre>Cannot GET /</pre>")
	f.Add(500, "Set-Cookie", "=;=", "", `{"timestamp":`)
	f.Fuzz(func(t *testing.T, status int, name, value, cookie, body string) {
		var s advice.Signs
		s.See(status, http.Header{name: {value}}, []string{cookie}, []byte(body))
		s.See(status, nil, nil, nil)
		s.Stack()
	})
}
