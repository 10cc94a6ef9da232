package sqlite

import (
	"database/sql"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// trimEvery is how many events may come before the bounds are looked at.
const trimEvery = 256

// Append keeps events and chats in one transaction.
func (s *Store) Append(events []mockkindly.StoredEvent, chats []mockkindly.StoredChat) error {
	return s.explain(s.write(func(tx *sql.Tx) error {
		insert := tx.Stmt(s.insertEvent)
		for _, e := range events {
			if _, err := insert.Exec(e.Seq, string(e.Kind), e.Chat, e.JSON); err != nil {
				return err
			}
		}
		for _, c := range chats {
			_, err := tx.Exec("INSERT INTO chats (id, json) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json", c.ID, c.JSON)
			if err != nil {
				return err
			}
		}
		if s.appended += len(events); s.appended < trimEvery {
			return nil
		}
		s.appended = 0
		return s.trim(tx)
	}))
}

// keptChats are the newest, up to a number and a size.
const keptChats = `SELECT number, id, json FROM (
	SELECT number, id, json, sum(length(json)) OVER (ORDER BY number DESC) AS size
	FROM (SELECT number, id, json FROM chats ORDER BY number DESC LIMIT ?)) WHERE size <= ?`

func (s *Store) write(f func(*sql.Tx) error) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // the first error counts
		return err
	}
	return tx.Commit()
}

// trim deletes the oldest events and chats, as many as the bounds want. What
// they leave free in the file is used again.
func (s *Store) trim(tx *sql.Tx) error {
	_, err := tx.Exec("DELETE FROM events WHERE seq <= (SELECT max(seq) FROM events) - ?", s.opts.MaxEvents)
	if err != nil {
		return err
	}
	_, err = tx.Exec("DELETE FROM chats WHERE number NOT IN (SELECT number FROM ("+keptChats+"))", s.opts.MaxChats, s.opts.MaxChatBytes)
	if err != nil {
		return err
	}
	for {
		var used int64
		err := tx.QueryRow(`SELECT (pages.page_count - free.freelist_count) * size.page_size
			FROM pragma_page_count AS pages, pragma_freelist_count AS free, pragma_page_size AS size`).Scan(&used)
		if err != nil || used <= s.opts.MaxBytes {
			return err
		}
		res, err := tx.Exec("DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?)", 2*trimEvery)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
	}
}

// Events returns what matches a query.
func (s *Store) Events(q mockkindly.Query) ([]mockkindly.StoredEvent, error) {
	text, args := statement(q)
	rows, err := s.db.Query(text, args...)
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close() // Err tells what went wrong
	var found []mockkindly.StoredEvent
	size := 0
	for rows.Next() {
		var e mockkindly.StoredEvent
		if err := rows.Scan(&e.Seq, &e.Kind, &e.Chat, &e.JSON); err != nil {
			return nil, s.explain(err)
		}
		found = append(found, e)
		if size += len(e.JSON); size >= q.MaxBytes {
			break
		}
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	if q.Newest {
		slices.Reverse(found)
	}
	return found, nil
}

func statement(q mockkindly.Query) (string, []any) {
	where, args := "seq > ?", []any{q.After}
	if q.Before > 0 {
		where, args = where+" AND seq < ?", append(args, q.Before)
	}
	if q.Chat != "" {
		where, args = where+" AND chat = ?", append(args, q.Chat)
	}
	if len(q.Kinds) > 0 {
		where += " AND kind IN (?" + strings.Repeat(", ?", len(q.Kinds)-1) + ")"
		for _, k := range q.Kinds {
			args = append(args, string(k))
		}
	}
	order := "ASC"
	if q.Newest {
		order = "DESC"
	}
	return "SELECT seq, kind, chat, json FROM events WHERE " + where + " ORDER BY seq " + order + " LIMIT ?", append(args, q.Limit)
}

// Span returns the numbers of the oldest and the newest event that is kept, and
// of the newest ever.
func (s *Store) Span() (first, last, ever uint64, err error) {
	err = s.db.QueryRow(`SELECT ifnull((SELECT min(seq) FROM events), 0), ifnull((SELECT max(seq) FROM events), 0),
		max(ifnull((SELECT max(seq) FROM events), 0), (SELECT last FROM ever))`).Scan(&first, &last, &ever)
	return first, last, ever, s.explain(err)
}

// Chats returns all chats that are kept, the oldest first.
func (s *Store) Chats() ([]mockkindly.StoredChat, error) {
	rows, err := s.db.Query("SELECT id, json FROM ("+keptChats+") ORDER BY number", s.opts.MaxChats, s.opts.MaxChatBytes)
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close() // Err tells what went wrong
	var found []mockkindly.StoredChat
	for rows.Next() {
		var c mockkindly.StoredChat
		if err := rows.Scan(&c.ID, &c.JSON); err != nil {
			return nil, s.explain(err)
		}
		found = append(found, c)
	}
	return found, s.explain(rows.Err())
}

// Reset forgets all but the number of the last event.
func (s *Store) Reset(last uint64) error {
	return s.explain(s.write(func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM events; DELETE FROM chats; UPDATE ever SET last = ?", last)
		return err
	}))
}
