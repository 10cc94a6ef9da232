package browser

import (
	"slices"
	"strings"
)

// passed are the variables that Chrome gets of ours. The others are none of a
// page's browser: in a CI they hold secrets.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "TZ", "LANG", "LANGUAGE", "LD_LIBRARY_PATH",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
	"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "CHROME_DEVEL_SANDBOX",
	"FONTCONFIG_FILE", "FONTCONFIG_PATH", "__CF_USER_TEXT_ENCODING",
	// Windows starts hardly anything without these.
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "USERNAME", "APPDATA", "LOCALAPPDATA",
	"PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432", "ALLUSERSPROFILE", "NUMBER_OF_PROCESSORS",
}

// environment is what of ours Chrome gets.
func environment(ours []string) []string {
	var out []string
	for _, pair := range ours {
		name, _, _ := strings.Cut(pair, "=")
		name = strings.ToUpper(name)
		if slices.Contains(passed, name) || strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "XDG_") {
			out = append(out, pair)
		}
	}
	return out
}
