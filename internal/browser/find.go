package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// A NotFoundError says that no Chrome was found, and how to get one.
type NotFoundError struct {
	Tried []string // names and paths, in order
	Hint  string   // how to install or name one
}

func (e *NotFoundError) Error() string {
	return "no Chrome or Chromium was found (tried " + strings.Join(e.Tried, ", ") + "). " + e.Hint
}

// Find returns the path of the Chrome to use: headless shell first, which
// starts in half the time, then Chromium, Chrome and Edge, in PATH and then in
// the usual places of the operating system. The error is a *NotFoundError.
func Find() (string, error) { return find(false) }

// find is Find; headed leaves out what has no window.
func find(headed bool) (string, error) {
	tried := candidates(runtime.GOOS, headed)
	for _, name := range tried {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", &NotFoundError{Tried: tried, Hint: installHint(runtime.GOOS, headed)}
}

// shells and names are looked up in PATH on every system. Shells have no window, and
// start all the same where one is asked for.
var shells = []string{"chromium-headless-shell", "chrome-headless-shell", "headless_shell", "headless-shell"}

var names = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge",
}

func candidates(goos string, headed bool) []string {
	var out []string
	if !headed {
		out = append(out, shells...)
	}
	out = append(out, names...)
	switch goos {
	case "darwin":
		home, _ := os.UserHomeDir() // "" only loses the places below it
		for _, app := range []string{"Chromium", "Google Chrome", "Google Chrome Canary", "Microsoft Edge"} {
			bin := filepath.Join("Applications", app+".app", "Contents", "MacOS", app)
			out = append(out, "/"+bin)
			if home != "" {
				out = append(out, filepath.Join(home, bin))
			}
		}
	case "windows":
		for _, root := range []string{`C:\Program Files`, `C:\Program Files (x86)`} {
			out = append(out, root+`\Google\Chrome\Application\chrome.exe`,
				root+`\Chromium\Application\chrome.exe`, root+`\Microsoft\Edge\Application\msedge.exe`)
		}
		if cache, err := os.UserCacheDir(); err == nil { // %LocalAppData%
			out = append(out, cache+`\Google\Chrome\Application\chrome.exe`, cache+`\Chromium\Application\chrome.exe`)
		}
	default:
		out = append(out, "/usr/lib/chromium/chromium", "/opt/google/chrome/chrome", "/snap/bin/chromium")
	}
	return out
}

func installHint(goos string, headed bool) string {
	const or = ", or name one that you have with --browser PATH (or a running one with --browser-url ws://…)."
	switch goos {
	case "darwin":
		return "Install one: brew install --cask chromium" + or
	case "windows":
		return "Install one: winget install Google.Chrome" + or
	}
	if headed {
		return "Install one: apt-get install chromium (Debian), google-chrome-stable (Ubuntu, from Google), dnf install chromium (Fedora), apk add chromium (Alpine)" + or
	}
	return "Install one: apt-get install chromium-headless-shell (Debian), google-chrome-stable (Ubuntu, from Google), dnf install chromium-headless (Fedora), apk add chromium (Alpine)" + or
}
