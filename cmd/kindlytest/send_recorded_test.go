package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

func TestSendSendsARecordedDelivery(t *testing.T) {
	var got string
	var signed bool
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mac, _ := webhook.Signature(r.Header)
		got, signed = string(body), webhook.Verify("a-secret", body, mac)
		_, _ = io.WriteString(w, `{"reply":"hello"}`)
	}))
	defer app.Close()
	file := filepath.Join(t.TempDir(), "kindly.jsonl")
	rec, err := recording.Create(file, recording.Options{KeepValues: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"message":"one"}`, `{"message":"two"}`, `no JSON`} {
		d := recording.Delivery{At: time.Now(), Request: recording.Request{Method: "POST", Size: len(body)}}
		if err := rec.Write(d, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args string
		code int
		want string
	}{
		{"--recording FILE --delivery 2", 0, `{"message":"two"}`},
		{"--recording FILE", 0, `{"message":"one"}`},
		{"--recording FILE --delivery 3", 2, ""},
		{"--recording FILE --delivery 4", 2, ""},
		{"--recording FILE --delivery 0", 2, ""},
		{"--delivery 2", 2, ""},
		{"--recording FILE --message hello", 2, ""},
		{"--recording FILE --payload FILE", 2, ""},
	} {
		got, signed = "", false
		args := strings.Fields(strings.ReplaceAll("send --webhook "+app.URL+" "+row.args, "FILE", file))
		send := exec.Command("kindlytest", args...)
		send.Env = append(send.Environ(), hmacSecretVariable+"=a-secret")
		out, err := send.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if code := send.ProcessState.ExitCode(); code != row.code || got != row.want || signed != (row.want != "") {
			t.Errorf("%s: ends with %d, sent %q, signed %t: %s", row.args, code, got, signed, out)
		}
	}
}
