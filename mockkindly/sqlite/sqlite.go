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
// operating system when it is committed. A power cut can take the last half
// minute with it, but leaves a sound file; a journal for a laptop need not wait for the
// disk thousands of times. With Options.Sync (synchronous=FULL) it does. One
// process at a time has the file.
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
	// Sync waits for the disk at each transaction: what Append has returned then
	// survives a power cut too. It takes as long as the disk does.
	Sync bool
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
	if err := ownersOnly(s.path + "-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// An absolute path is a file in any case; :memory: is none.
	path, err := filepath.Abs(s.path)
	if err != nil {
		return err
	}
	// One connection: the file is ours alone, and reads are short.
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()}).String()
	dsn += "?_pragma=busy_timeout(500)&_pragma=locking_mode(EXCLUSIVE)&_pragma=synchronous(" + s.opts.synchronous() + ")&_pragma=wal_autocheckpoint(10000)&_pragma=trusted_schema(OFF)&_txlock=immediate"
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
	} else if err := checkSchema(db); err != nil {
		return err
	}
	// The empty transaction finds out whether another process has the file.
	if _, err = db.Exec("PRAGMA journal_mode=WAL; BEGIN IMMEDIATE; COMMIT"); err != nil {
		return err
	}
	s.insertEvent, err = db.Prepare("INSERT INTO events VALUES (?, ?, ?, ?)")
	return err
}

func (o Options) synchronous() string {
	if o.Sync {
		return "FULL"
	}
	return "NORMAL"
}

// whose looks into the file's header, before SQLite touches it: somebody else's
// file stays as it is, and so does what is no file, such as a device or a pipe. A
// file that is not there is made, for SQLite would let others read it, and of one
// that is ours only the owner may.
func whose(path string) (isNew bool, err error) {
	if err := regular(path); err != nil {
		return false, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	defer f.Close() // nothing was written
	isNew, err = ours(f)
	if err != nil {
		return false, err
	}
	return isNew, f.Chmod(0o600)
}

// regular refuses what is there and is no regular file: to open a pipe waits for
// somebody, and a link to nowhere would make a file that nobody named.
func regular(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errDangling
	case err != nil:
		return err
	case info.IsDir():
		return errFolder
	case !info.Mode().IsRegular():
		return errNoFile
	}
	return nil
}

func ours(f *os.File) (isNew bool, err error) {
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

// ownersOnly keeps others from reading the log that a killed process left beside
// the file. SQLite gives a new log the mode of the file.
func ownersOnly(log string) error {
	info, err := os.Lstat(log)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("its log %s: %w", log, errNoFile)
	}
	return os.Chmod(log, 0o600)
}

var (
	errFolder     = errors.New("it is a directory")
	errNoFile     = errors.New("it is no regular file")
	errDangling   = errors.New("it is a link to a file that is not there")
	errTables     = errors.New("its tables are not those that kindlytest makes")
	errNoDatabase = errors.New("it is no SQLite database")
	errForeign    = errors.New("it is a database of another program")
	errVersion    = errors.New("it was written by another version of kindlytest")
)

// create makes the tables. The marks of the file are in its header before the
// write-ahead log takes what follows.
func (s *Store) create() error {
	_, err := s.db.Exec(fmt.Sprintf("BEGIN IMMEDIATE;\n%s;\nINSERT INTO ever VALUES (1, 0);\nPRAGMA application_id=%d;\nPRAGMA user_version=%d;\nCOMMIT",
		strings.Join(schema, ";\n"), applicationID, schemaVersion))
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
	case errors.Is(err, errForeign), errors.Is(err, errNoDatabase), errors.Is(err, errFolder), errors.Is(err, errNoFile), errors.Is(err, errDangling), errors.Is(err, errTables):
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
