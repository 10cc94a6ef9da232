package service

import "time"

// slowPace is from when on a service counts as slow.
const slowPace = 500 * time.Millisecond

// slow says whether a plain answer takes long.
func (v *service) slow() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.pace >= slowPace
}

// timeout is how long the service is given to answer one request: as long as the
// user says, or longer where its plain answers take long.
func (v *service) timeout() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return min(max(v.t.Patience.Request, 4*v.pace), v.t.Patience.Longest)
}

// hasty is how long a service is waited for that leaves such requests without an answer:
// longer than its answers, plain or not, have ever taken, and no longer as if each might
// be the first to hang.
func (v *service) hasty(timeout time.Duration) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return min(timeout, max(timeout/4, 10*v.pace, 2*v.longest))
}

// inPeace is how many others may be under way at most for an answer to show the service's
// own pace.
const inPeace = 4

// aftermath is how long after an answer a death still counts as its doing: longer where
// all takes longer, be it that the machine is busy, or a death has come later.
func (v *service) aftermath() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lateness()
}

// lateness is aftermath for who holds v.mu.
func (v *service) lateness() time.Duration {
	base := v.t.Patience.Aftermath
	return max(v.process.late, min(max(base, 4*v.pace), 4*base))
}

// afterCut is how long after it has hung up on somebody the service may end of that: a
// moment, as most refuse nobody so, and those who do go on; longer where that was seen.
func (v *service) afterCut() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.process.lateCut + moment
}

// remember learns how long answers take.
func (v *service) remember(x sending) {
	if x.ev.Exchange.Response == nil {
		return
	}
	took := x.ev.Exchange.Duration
	v.mu.Lock()
	v.longest = max(v.longest, took)
	switch {
	case v.pace == 0:
		v.pace = took
	case x.plain && x.beside <= inPeace:
		v.pace = max(v.pace, min(took, 2*v.pace+time.Second))
	}
	pace := v.pace
	v.mu.Unlock()
	v.inFlight.learn(took, pace)
}

// overtaxed lets fewer requests be under way at a time, of which some had no answer that
// were answered alone.
func (v *service) overtaxed() {
	v.mu.Lock()
	pace := v.pace
	v.mu.Unlock()
	v.inFlight.halve(pace)
}
