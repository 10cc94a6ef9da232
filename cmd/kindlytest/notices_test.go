package main

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// All that is compiled in is named with its licence.
func TestNotices(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED, NOT CHECKED: it needs bash")
	}
	cmd := exec.Command("bash", ".ci/notices")
	cmd.Dir = "../.."
	notices, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", ".")
	modules, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for module := range strings.FieldsFuncSeq(string(modules), func(r rune) bool { return r == '\n' }) {
		if !strings.Contains(string(notices), "\n"+module+"\n") {
			t.Errorf("%s is not named", module)
		}
	}
	for _, text := range []string{"Redistribution and use in source and binary forms", "Permission is hereby granted, free of charge", "Apache License"} {
		if !strings.Contains(string(notices), text) {
			t.Errorf("no licence says %q", text)
		}
	}
}
