package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

func TestSendSendsARecordedDelivery(t *testing.T) {
	type delivered struct {
		body   string
		signed bool
	}
	received := make(chan delivered, 2)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mac, _ := webhook.Signature(r.Header)
		received <- delivered{string(body), webhook.Verify("a-secret", body, mac)}
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
		if _, err := rec.Write(d, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	// The numbers are those of the lines, also after one that is damaged.
	if f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	} else if _, err := f.WriteString("{\"v\":1,\"r\n"); errors.Join(err, f.Close()) != nil {
		t.Fatal(err)
	}
	if rec, err = recording.Create(file, recording.Options{KeepValues: true}); err != nil {
		t.Fatal(err)
	}
	five := []byte(`{"message":"five"}`)
	if line, err := rec.Write(recording.Delivery{At: time.Now(), Request: recording.Request{Method: "POST", Size: len(five)}}, five); err != nil || line != 5 {
		t.Fatalf("it is line %d: %v", line, err)
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
		{"--recording FILE --delivery 5", 0, `{"message":"five"}`},
		{"--recording FILE --delivery 6", 2, ""},
		{"--recording FILE --delivery 0", 2, ""},
		{"--delivery 2", 2, ""},
		{"--recording FILE --message hello", 2, ""},
		{"--recording FILE --payload FILE", 2, ""},
	} {
		args := strings.Fields(strings.ReplaceAll("send --webhook "+app.URL+" "+row.args, "FILE", file))
		send := exec.Command("kindlytest", args...)
		send.Env = append(send.Environ(), hmacSecretVariable+"=a-secret")
		out, err := send.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		got := lastOf(received)
		if code := send.ProcessState.ExitCode(); code != row.code || got.body != row.want || got.signed != (row.want != "") {
			t.Errorf("%s: ends with %d, sent %+v: %s", row.args, code, got, out)
		}
	}
}
