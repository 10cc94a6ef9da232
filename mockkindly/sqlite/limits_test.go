package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// The mock reads all chats when it starts, so that their size is bounded too.
func TestChatsAreBoundedBySize(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "k.db"), Options{MaxChatBytes: 100_000})
	text := []byte(`"` + strings.Repeat("x", 9_000) + `"`)
	for i := range 300 { // more than trimEvery
		err := s.Append([]mockkindly.StoredEvent{{Seq: uint64(i + 1), Kind: mockkindly.ChatCreated, JSON: []byte("{}")}},
			[]mockkindly.StoredChat{{ID: fmt.Sprint(i), JSON: text}})
		if err != nil {
			t.Fatal(err)
		}
	}
	chats, err := s.Chats()
	if err != nil || len(chats) != 11 || chats[10].ID != "299" || chats[0].ID != "289" {
		t.Errorf("%d chats are read, %v", len(chats), err)
	}
	var kept int
	if err := s.db.QueryRow("SELECT count(*) FROM chats").Scan(&kept); err != nil || kept > 11+trimEvery {
		t.Errorf("%d chats are in the file, %v", kept, err)
	}
}

func TestAFileThatWasThereIsTheOwnersToo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k.db")
	for _, state := range []string{"empty", "ours"} {
		if state == "empty" {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(path, 0o644); err != nil { // whatever the umask
			t.Fatal(err)
		}
		s := open(t, path, Options{})
		newMock(t, s)
		for _, name := range []string{path, path + "-wal"} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s, %s: %v, %v", state, filepath.Base(name), info.Mode(), err)
			}
		}
		s.Close()
	}
}

// SQLite has names of its own for what is kept nowhere.
func TestEveryNameIsAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{":memory:", "file:k.db", "k?mode=memory", "-k.db"} {
		t.Run(name, func(t *testing.T) {
			s := open(t, name, Options{})
			k := newMock(t, s)
			if _, err := k.CreateChat("bot", mockkindly.Web{}); err != nil {
				t.Fatal(err)
			}
			k.Close()
			s.Close()
			if n := len(journal(t, open(t, name, Options{}))); n != 1 {
				t.Errorf("%d events are in the file", n)
			}
			if info, err := os.Stat(name); err != nil || info.Size() == 0 {
				t.Errorf("the file has not been written: %v", err)
			}
		})
	}
}
