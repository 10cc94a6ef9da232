//go:build race

package suites_test

// raceSlows is how many times fewer tests go on at the same time under the race detector.
const raceSlows = 3
