package mockkindly

import (
	"crypto/rand"
	"fmt"
)

// A State says which state of the mock an answer shows, so that a reader of
// several answers can tell the newer one, in whatever order they arrive. Version
// grows with every change of a chat, a bot or the faults; a Reset makes Resets
// grow too. Boot is another for every mock, also for one that goes on with the
// same Store.
type State struct {
	Boot    string
	Resets  int
	Version uint64
}

// String is boot.resets.version, as the API's header Kindlytest-State has it.
func (s State) String() string { return fmt.Sprintf("%s.%d.%d", s.Boot, s.Resets, s.Version) }

// State returns the present one.
func (k *Kindly) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// newBoot does not ask Options.Rand, which a test may let repeat itself.
func newBoot() State { return State{Boot: rand.Text()} }
