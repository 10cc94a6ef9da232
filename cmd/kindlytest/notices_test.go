package main

import (
	"encoding/json"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// ciScript runs one of .ci, and returns what it prints.
func ciScript(t *testing.T, args ...string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED, NOT CHECKED: it needs bash")
	}
	cmd := exec.Command("bash", args...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// compiledIn are the modules of this program, "PATH VERSION".
func compiledIn(t *testing.T) []string {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", ".")
	modules, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Compact(slices.Sorted(strings.FieldsFuncSeq(string(modules), func(r rune) bool { return r == '\n' })))
}

// All that is compiled in is named with its licence.
func TestNotices(t *testing.T) {
	notices := ciScript(t, ".ci/notices")
	for _, module := range compiledIn(t) {
		if !strings.Contains(notices, "\n"+module+"\n") {
			t.Errorf("%s is not named", module)
		}
	}
	for _, text := range []string{"Redistribution and use in source and binary forms", "Permission is hereby granted, free of charge", "Apache License"} {
		if !strings.Contains(notices, text) {
			t.Errorf("no licence says %q", text)
		}
	}
}

// A release says what it is made of, in the form that scanners read.
func TestSBOM(t *testing.T) {
	type component struct {
		Type, Name, Version, Purl string
		Ref                       string `json:"bom-ref"`
	}
	var bom struct {
		BomFormat, SpecVersion string
		Metadata               struct{ Component component }
		Components             []component
	}
	if err := json.Unmarshal([]byte(ciScript(t, ".ci/sbom", "v1.2.3")), &bom); err != nil {
		t.Fatal(err)
	}
	if own := bom.Metadata.Component; bom.BomFormat != "CycloneDX" || own.Purl != "pkg:golang/github.com/kindlytest/kindlytest@v1.2.3" {
		t.Errorf("it is %q of %+v", bom.BomFormat, own)
	}
	named := map[string]bool{}
	for _, c := range bom.Components {
		if named[c.Ref] || c.Type != "library" || c.Purl != "pkg:golang/"+strings.ToLower(c.Name)+"@"+c.Version {
			t.Errorf("%+v", c)
		}
		named[c.Ref] = true
		named[c.Name+" "+c.Version] = true
	}
	for _, module := range append(compiledIn(t), "std "+strings.TrimPrefix(runtime.Version(), "go")) {
		if !named[module] {
			t.Errorf("%s is not named", module)
		}
	}
}
