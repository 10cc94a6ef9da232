package changes

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// ignored knows what is not watched. What git ignores, git itself says.
type ignored struct {
	besides []string        // folders, absolute
	roots   []string        // that git knows about
	known   map[string]bool // folders that git ignores as a whole
}

func newIgnored(ctx context.Context, paths, besides []string) *ignored {
	i := &ignored{known: map[string]bool{}}
	for _, b := range besides {
		if b, err := filepath.Abs(b); err == nil {
			i.besides = append(i.besides, b)
		}
	}
	for _, root := range paths {
		root, err := filepath.Abs(root)
		if err != nil {
			continue
		}
		// One question for all: a project has thousands of folders.
		cmd := exec.CommandContext(ctx, "git", "-C", root, "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
		out, err := cmd.Output()
		if err != nil {
			continue // no git, no repository, or a file
		}
		i.roots = append(i.roots, root)
		for name := range strings.SplitSeq(string(out), "\x00") {
			if strings.HasSuffix(name, "/") {
				i.known[filepath.Join(root, filepath.FromSlash(name))] = true
			}
		}
	}
	return i
}

// folder says whether a folder that was there from the beginning is left out.
func (i *ignored) folder(path string) bool {
	name := filepath.Base(path)
	if name == ".git" || slices.Contains(i.besides, path) || i.known[path] {
		return true
	}
	return i.rootOf(path) == "" && (strings.HasPrefix(name, ".") || name == "node_modules")
}

// rootOf is the folder through which git knows a path; "" if it does not.
func (i *ignored) rootOf(path string) string {
	for _, root := range i.roots {
		if within(path, root) {
			return root
		}
	}
	return ""
}

func within(path, folder string) bool {
	rest, ok := strings.CutPrefix(path, folder)
	return ok && (rest == "" || rest[0] == filepath.Separator || strings.HasSuffix(folder, string(filepath.Separator)))
}

// leave takes away the paths that are left out.
func (i *ignored) leave(ctx context.Context, paths []string) []string {
	byRoot := map[string][]string{}
	var left []string
	for _, p := range paths {
		switch root := i.rootOf(p); {
		case filepath.Base(p) == ".git", slices.ContainsFunc(i.besides, func(b string) bool { return within(p, b) }):
		case p == everything:
			left = append(left, p)
		case root == "":
			if !i.folder(p) {
				left = append(left, p)
			}
		default:
			byRoot[root] = append(byRoot[root], p)
		}
	}
	for root, paths := range byRoot {
		ignores := ignoredBy(ctx, root, paths)
		left = append(left, slices.DeleteFunc(paths, func(p string) bool { return ignores[p] })...)
	}
	slices.Sort(left)
	return left
}

// ignoredBy asks git. Where it can't tell, nothing is ignored: to look once too
// often does no harm.
func ignoredBy(ctx context.Context, root string, paths []string) map[string]bool {
	cmd := exec.CommandContext(ctx, "git", "-C", root, "check-ignore", "-z", "--stdin")
	cmd.Stdin = strings.NewReader(strings.Join(paths, "\x00") + "\x00")
	out, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return nil
	}
	ignores := map[string]bool{}
	for name := range bytes.SplitSeq(out, []byte{0}) {
		ignores[string(name)] = true
	}
	return ignores
}
