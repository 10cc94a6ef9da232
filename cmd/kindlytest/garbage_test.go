package main

import (
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

// The limit keeps what docs/serve.md says of pages that mean harm.
func TestGarbageIsCollectedAsToldOrAsTheCommandNeeds(t *testing.T) {
	collector := func() (percent uint64, limit int64) {
		s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(s)
		return s[0].Value.Uint64(), debug.SetMemoryLimit(-1)
	}
	before, unlimited := collector()
	for _, tt := range []struct {
		name    string
		env     map[string]string
		percent uint64
		limit   int64
	}{
		{"nothing is told", nil, garbage, enough},
		{"GOGC is told", map[string]string{"GOGC": "100"}, before, unlimited},
		{"GOMEMLIMIT is told", map[string]string{"GOMEMLIMIT": "1GiB"}, garbage, unlimited},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &app{lookupEnv: func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok }}
			restore := a.collect(garbage, enough)
			percent, limit := collector()
			restore()
			if percent != tt.percent || limit != tt.limit {
				t.Errorf("GOGC is %d and GOMEMLIMIT %d, not %d and %d", percent, limit, tt.percent, tt.limit)
			}
			if percent, limit := collector(); percent != before || limit != unlimited {
				t.Errorf("afterwards GOGC is %d and GOMEMLIMIT %d, not %d and %d", percent, limit, before, unlimited)
			}
		})
	}
}
