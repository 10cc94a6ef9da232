// Package sqlite keeps a mock's journal and chats in a file, so that they
// survive a restart.
//
//	store, err := sqlite.Open("kindly.db", sqlite.Options{})
//	if err != nil { … } // locked, full, or somebody else's file: the error says which
//	defer store.Close()
//	k, err := mockkindly.New(mockkindly.Options{Store: store, …})
//
// Only the command line links it: a test that uses the mock has no database.
//
// # What is promised
//
// What Append has returned survives the end of the process, however it ends: the
// file is in WAL mode with synchronous=NORMAL, so that a transaction is with the
// operating system when it is committed. A power cut can take the last moments
// with it, but leaves a sound file; a journal for a laptop need not wait for the
// disk thousands of times. One process at a time has the file.
package sqlite

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks our files (PRAGMA application_id): "kTst". schemaVersion
// is that of the tables (PRAGMA user_version).
const (
	applicationID = 0x6b547374
	schemaVersion = 2 // 1 kept chats in another form
)

// Options bound the file. The zero value has defaults.
type Options struct {
	MaxEvents int   // events that are kept, the newest; 1,000,000 if 0
	MaxBytes  int64 // size of the file, roughly; 1 GiB if 0
	MaxChats  int   // chats that are kept, the newest; 10,000 if 0
	// MaxChatBytes bounds what chats take, as all are read at the start; 64 MiB if 0.
	MaxChatBytes int64
}

// A Store is an open file. It implements mockkindly.Store.
type Store struct {
	db   *sql.DB
	path string
	opts Options

	insertEvent *sql.Stmt

	appended int // events since the bounds were looked at; only Append uses it
}

// Open opens a file, and makes it if it is not there. From then on only its
// owner can read the file, also if others could before.
func Open(path string, o Options) (*Store, error) {
	if o.MaxEvents <= 0 {
		o.MaxEvents = 1_000_000
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 1 << 30
	}
	if o.MaxChats <= 0 {
		o.MaxChats = 10_000
	}
	if o.MaxChatBytes <= 0 {
		o.MaxChatBytes = 64 << 20
	}
	s := &Store{path: path, opts: o}
	if err := s.open(); err != nil {
		return nil, errors.Join(s.explain(err), s.Close())
	}
	return s, nil
}

func (s *Store) open() error {
	isNew, err := whose(s.path)
	if err != nil {
		return err
	}
	if err := ownersOnly(s.path); err != nil {
		return err
	}
	// An absolute path is a file in any case; :memory: is none.
	path, err := filepath.Abs(s.path)
	if err != nil {
		return err
	}
	// One connection: the file is ours alone, and reads are short.
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()}).String()
	dsn += "?_pragma=busy_timeout(500)&_pragma=locking_mode(EXCLUSIVE)&_pragma=synchronous(NORMAL)&_pragma=wal_autocheckpoint(10000)&_txlock=immediate"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	s.db = db
	if isNew {
		if err := s.create(); err != nil {
			return err
		}
	}
	// The empty transaction finds out whether another process has the file.
	if _, err = db.Exec("PRAGMA journal_mode=WAL; BEGIN IMMEDIATE; COMMIT"); err != nil {
		return err
	}
	s.insertEvent, err = db.Prepare("INSERT INTO events VALUES (?, ?, ?, ?)")
	return err
}

// whose looks into the file's header, before SQLite touches it: somebody else's
// file stays as it is. A file that is not there is made, for SQLite would let
// others read it.
func whose(path string) (isNew bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	defer f.Close() // nothing was written
	header := make([]byte, 100)
	n, err := io.ReadFull(f, header)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return true, nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return false, err
	case n < len(header) || string(header[:16]) != "SQLite format 3\x00":
		return false, errNoDatabase
	}
	// https://www.sqlite.org/fileformat.html, 1.3
	id, version := binary.BigEndian.Uint32(header[68:]), binary.BigEndian.Uint32(header[60:])
	switch {
	case id != applicationID:
		return false, errForeign
	case version != schemaVersion:
		return false, fmt.Errorf("%w: its version is %d, and this one knows %d", errVersion, version, schemaVersion)
	}
	return false, nil
}

// ownersOnly keeps others from reading the file, and the log that a killed
// process left beside it. SQLite gives a new log the mode of the file.
func ownersOnly(path string) error {
	for _, name := range []string{path, path + "-wal"} {
		if err := os.Chmod(name, 0o600); err != nil && !(name != path && errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	return nil
}

var (
	errNoDatabase = errors.New("it is no SQLite database")
	errForeign    = errors.New("it is a database of another program")
	errVersion    = errors.New("it was written by another version of kindlytest")
)

// create makes the tables. The marks of the file are in its header before the
// write-ahead log takes what follows.
func (s *Store) create() error {
	_, err := s.db.Exec(fmt.Sprintf(`
BEGIN IMMEDIATE;
CREATE TABLE events (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, chat TEXT NOT NULL, json BLOB NOT NULL);
CREATE INDEX events_chat ON events (chat, seq);
CREATE TABLE chats (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, json BLOB NOT NULL);
CREATE TABLE ever (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL);
INSERT INTO ever VALUES (1, 0);
PRAGMA application_id=%d;
PRAGMA user_version=%d;
COMMIT`, applicationID, schemaVersion))
	return err
}

// Close closes the file.
func (s *Store) Close() error {
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// explain says in words what is wrong with the file, and the way out.
func (s *Store) explain(err error) error {
	if err == nil {
		return nil
	}
	var e *sqlite.Error
	var path *fs.PathError
	switch {
	case errors.Is(err, errForeign), errors.Is(err, errNoDatabase):
		return s.problem(err, "name another file: nothing was changed in this one")
	case errors.Is(err, errVersion):
		return s.problem(err, "name another file, or use that version")
	case errors.As(err, &path):
		return s.problem(path.Err, "name a file in a folder that you may write to")
	case errors.As(err, &e):
		return s.explainCode(e)
	}
	return s.problem(err, "")
}

func (s *Store) explainCode(e *sqlite.Error) error {
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return s.problem(errors.New("another process has it open"), "end the other kindlytest serve, or name another file")
	case sqlite3.SQLITE_FULL:
		return s.problem(errors.New("the disk is full"), "make room; what was answered before is kept")
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return s.problem(errors.New("it is damaged"), "name another file, or delete this one")
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return s.problem(errors.New("it can't be written"), "name a file that you may write to")
	}
	return s.problem(errors.New(strings.TrimSpace(e.Error())), "")
}

// An Error says what is wrong with a file.
type Error struct {
	Path string
	Err  error
	Way  string // the way out; may be empty
}

func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

func (s *Store) problem(err error, way string) error { return &Error{s.path, err, way} }
