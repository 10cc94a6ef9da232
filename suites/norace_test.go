//go:build !race

package suites_test

const raceSlows = 1 // see race_test.go
