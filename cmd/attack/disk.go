package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/kindlytest/kindlytest/internal/figures"
)

// cuts is how often the power goes.
const cuts = 10

// tryFullDisk lets the disk become full, and then ends the mock.
func (a *attack) tryFullDisk(ctx context.Context) error {
	const what = "serve --db, a disk that becomes full, then kill -9, 5 times"
	acknowledged, lost, refused := 0, 0, 0
	for range 5 {
		dir, unmount, err := a.mount(ctx, "full", "-t", "tmpfs", "-o", "size=600k", "tmpfs")
		if err != nil {
			a.table.Stated(what, "not tried: %v", err)
			return nil
		}
		m, err := a.serve(ctx, filepath.Join(dir, "k.db"))
		if err != nil {
			return errors.Join(err, unmount())
		}
		alive := false
		events := m.load(ctx, 100_000, func() { // what ends it is the first message that is not taken
			alive = m.call(ctx, "GET", "/mock/v1/health", "", nil) == nil
			m.kill(syscall.SIGKILL)
		})
		if alive {
			refused++
		}
		// There is room again.
		room := a.path("full-copy")
		_, err = figures.Output(ctx, "cp", "-r", dir, room)
		n := 0
		if err == nil {
			n, err = a.missing(ctx, filepath.Join(room, "k.db"), events)
		}
		if err := errors.Join(err, unmount(), os.RemoveAll(room)); err != nil {
			return err
		}
		acknowledged += len(events)
		lost += n
	}
	a.table.Judge(lost == 0 && refused == 5, what,
		fmt.Sprintf("%d events acknowledged, %d lost; it says so and goes on answering, %d of 5", acknowledged, lost, refused), "0 lost, 5 of 5")
	return nil
}

// tryPowerCuts keeps the file in a file system of its own, and takes of it what the
// disk has at one moment: what was not synced is in memory, and is gone.
func (a *attack) tryPowerCuts(ctx context.Context, synced bool) error {
	what, args := "serve --db, the power goes", []string(nil)
	if synced {
		what, args = "serve --db --db-sync, the power goes", []string{"--db-sync"}
	}
	what = fmt.Sprintf("%s, %d times", what, cuts)
	acknowledged, lost := 0, 0
	for range cuts {
		events, n, err := a.cutPower(ctx, args)
		if errors.Is(err, errNoMount) {
			a.table.Stated(what, "not tried: %v", err)
			return nil
		}
		if err != nil {
			return err
		}
		acknowledged += events
		lost += n
	}
	measured := fmt.Sprintf("%d events acknowledged, %d lost; the file is sound", acknowledged, lost)
	if synced {
		a.table.Judge(lost == 0 && acknowledged > cuts, what, measured, "0 lost")
	} else {
		a.table.Judge(acknowledged > cuts, what, measured, "the file is sound")
	}
	return nil
}

func (a *attack) cutPower(ctx context.Context, args []string) (acknowledged, lost int, err error) {
	disk, copied := a.path("disk.img"), a.path("copied.img")
	if _, err := figures.Output(ctx, "truncate", "-s", "0", disk); err != nil {
		return 0, 0, err
	}
	if _, err := figures.Output(ctx, "truncate", "-s", "32M", disk); err != nil {
		return 0, 0, err
	}
	if _, err := figures.Output(ctx, "mkfs.ext4", "-q", "-F", disk); err != nil {
		return 0, 0, fmt.Errorf("%w: %w", errNoMount, err)
	}
	dir, unmount, err := a.mount(ctx, "disk", "-o", "loop", disk)
	if err != nil {
		return 0, 0, err
	}
	m, err := a.serve(ctx, filepath.Join(dir, "k.db"), args...)
	if err != nil {
		return 0, 0, errors.Join(err, unmount())
	}
	var copyErr error
	events := m.load(ctx, 40, func() {
		_ = m.cmd.Process.Signal(syscall.SIGSTOP) // what is copied is of one moment
		_, copyErr = figures.Output(ctx, "cp", disk, copied)
		m.kill(syscall.SIGKILL)
	})
	if err := errors.Join(copyErr, unmount()); err != nil {
		return 0, 0, err
	}
	dir, unmount, err = a.mount(ctx, "copied", "-o", "loop", copied)
	if err != nil {
		return 0, 0, err
	}
	lost, err = a.missing(ctx, filepath.Join(dir, "k.db"), events)
	return len(events), lost, errors.Join(err, unmount())
}

var errNoMount = errors.New("no file system can be mounted here (it takes root, and Linux)")

// mount mounts something on a folder of ours.
func (a *attack) mount(ctx context.Context, name string, args ...string) (dir string, unmount func() error, err error) {
	dir = a.path(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	if _, err := figures.Output(ctx, "mount", append(args, dir)...); err != nil {
		return "", nil, fmt.Errorf("%w: %w", errNoMount, err)
	}
	return dir, func() error {
		_, err := figures.Output(context.WithoutCancel(ctx), "umount", dir)
		return err
	}, nil
}
