package figures

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Peak is the most memory that a process ever occupied, in MB; 0 if it is gone.
func Peak(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	return Status(string(text), "VmHWM:")
}

// Status reads a line of /proc/PID/status that says a size, in MB; 0 if it is not
// there.
func Status(text, name string) float64 {
	_, rest, _ := strings.Cut(text, name)
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kb, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0 // a process that is ending has no memory any more
	}
	return kb / 1024
}

// Descendants is what the processes below a process occupy now and share with no
// file, in MB.
func Descendants(pid int) float64 {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0 // the pattern is sound
	}
	children := map[int][]int{}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name, in brackets, may hold anything.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		id, errID := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if len(fields) < 2 || errID != nil {
			continue
		}
		if parent, err := strconv.Atoi(fields[1]); err == nil {
			children[parent] = append(children[parent], id)
		}
	}
	total := 0.0
	for todo := children[pid]; len(todo) > 0; todo = todo[1:] {
		if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", todo[0])); err == nil {
			total += Status(string(text), "RssAnon:")
		}
		todo = append(todo, children[todo[0]]...)
	}
	return total
}
