package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// version is set by releases: -ldflags "-X main.version=v1.2.3".
var version = ""

// versionOf is the version of this binary: the released one, that of the
// module that `go install` fetched, or "dev" with the commit.
func versionOf(info *debug.BuildInfo, ok bool) string {
	switch {
	case version != "":
		return version
	case !ok:
		return "dev"
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}

func ownVersion() string { return versionOf(debug.ReadBuildInfo()) }

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version, and which Chrome would be used",
		Long: `Shows the version of kindlytest, what it was built with, and the Chrome that
run and demo would start. Quote it in bug reports.`,
		Example: `  kindlytest version`,
		Args:    noArguments(""),
		RunE: func(*cobra.Command, []string) error {
			chrome, err := browser.Find()
			if err != nil {
				chrome = "not found; " + err.Error()
			}
			_, err = fmt.Fprintf(a.stdout, "kindlytest %s\ngo         %s\nsystem     %s/%s\nchrome     %s\n",
				ownVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH, chrome)
			return err
		},
	}
}
