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

// weight is what one request takes of the slots. Waiting for a slow service is
// no load on it: the slower it is, the more may wait.
func (v *service) weight() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.single && v.t.bounded != nil:
		return int64(v.t.Concurrency)
	case v.single:
		return allSlots
	case v.t.bounded != nil:
		return 1
	case v.pace >= 2*time.Second:
		return 1
	case v.pace >= slowPace || v.hangs.Load() >= fewHangs:
		return allSlots / 24
	}
	return allSlots / 8
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

// remember learns how long answers take.
func (v *service) remember(x sending) {
	if x.ev.Exchange.Response == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.longest = max(v.longest, x.ev.Exchange.Duration)
	if x.plain {
		v.pace = max(v.pace, min(x.ev.Exchange.Duration, 2*v.pace+time.Second))
	}
}
