//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package browser

import "os"

// Nothing is swept here: Windows has no flock, and a Chrome there that was not
// told to end may still use its folder.

func lockDir(string) *os.File { return nil }

func startSweep(...string) (stop func()) { return func() {} }
