package sqlite

import (
	"database/sql"
	"slices"
	"strings"
)

// schema makes what is in a file of ours.
var schema = []string{
	"CREATE TABLE events (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, chat TEXT NOT NULL, json BLOB NOT NULL)",
	"CREATE INDEX events_chat ON events (chat, seq)",
	"CREATE TABLE chats (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, json BLOB NOT NULL)",
	"CREATE TABLE ever (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL)",
}

// checkSchema looks at what a file says that it holds, before anything of it is
// asked: in the place of a table there can be a view that never ends, or a trigger
// beside it.
func checkSchema(db *sql.DB) error {
	rows, err := db.Query("SELECT type, name, ifnull(sql, '') FROM sqlite_schema LIMIT 20")
	if err != nil {
		return err
	}
	defer rows.Close() // Err tells what went wrong
	found := 0
	for rows.Next() {
		var kind, name, text string
		if err := rows.Scan(&kind, &name, &text); err != nil {
			return err
		}
		switch {
		case slices.Contains(schema, text):
			found++
		case strings.HasPrefix(name, "sqlite_") && (kind == "table" || kind == "index"): // SQLite's own
		default:
			return errTables
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if found != len(schema) {
		return errTables
	}
	return nil
}
