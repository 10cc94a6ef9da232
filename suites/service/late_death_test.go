package service

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// A process answers, and some time after it was asked for /deadly it is gone for a while.
type mortal struct {
	t       *testing.T
	address string
	other   string          // where it listens, too; "" for nowhere else
	work    time.Duration   // that an answer takes
	cold    time.Duration   // that the first one takes
	dies    []time.Duration // after a deadly answer, that often in turn; the last one from then on
	atOnce  bool            // many ask at once then
	cutsOff bool            // what is deadly gets no answer
	once    bool            // but the first time only
	behind  bool            // a forwarder, which takes connections while nobody is there
	workers bool            // there are others, behind one, that take over at once
	forGood bool            // it is gone then
	hangs   bool            // it no longer answers then
	search  time.Duration   // for how long the culprit is looked for; 0: as usual

	mu     sync.Mutex
	stuck  bool // for good
	held   int  // how many requests got no answer
	server *http.Server
	ended  time.Time      // of who is behind a forwarder
	asked  map[string]int // by path
}

// start listens where it did before, the first time at ports that are free.
func (p *mortal) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	for _, address := range []*string{&p.address, &p.other} {
		if *address == "" {
			continue
		}
		l, err := net.Listen("tcp4", *address)
		if err != nil {
			p.t.Error(err)
			return
		}
		if strings.HasSuffix(*address, ":0") {
			*address = l.Addr().String()
		}
		p.t.Cleanup(func() { l.Close() })
		go p.server.Serve(l)
	}
}

func (p *mortal) running() *http.Server {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.server
}

// end is what becomes of a process: all that it has open is closed.
func (p *mortal) end(one *http.Server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.hangs:
		p.stuck = true
	case p.behind, p.workers:
		p.ended = time.Now()
	case one != nil && p.server == one: // or it had ended before
		p.server = nil
		one.Close()
		if !p.forGood {
			time.AfterFunc(downFor, p.start)
		}
	}
}

// isGone says whether nobody has been there at some time since.
func (p *mortal) isGone(since time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	down := downFor
	if p.workers {
		down = 0
	}
	return p.ended.Add(down).After(since)
}

// hang answers nobody any more, where the process hangs by now.
func (p *mortal) hang(r *http.Request) {
	p.mu.Lock()
	stuck := p.stuck
	if stuck {
		p.held++
	}
	p.mu.Unlock()
	if stuck {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

func (p *mortal) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	began := time.Now()
	if p.isGone(began) {
		panic(http.ErrAbortHandler)
	}
	p.hang(r)
	p.mu.Lock()
	if p.asked == nil {
		p.asked = map[string]int{}
		defer time.Sleep(p.cold)
	}
	if n := p.asked[r.URL.Path]; r.URL.Path == "/deadly" && r.URL.RawQuery == "" {
		one := p.server
		p.stuck = p.hangs && p.cutsOff
		defer time.AfterFunc(p.dies[min(n, len(p.dies)-1)], func() { p.end(one) })
	}
	cutOff := r.URL.Path == "/refused" || r.URL.Path == "/deadly" && p.cutsOff && !(p.once && p.asked["/deadly"] > 0)
	p.asked[r.URL.Path]++
	p.mu.Unlock()
	time.Sleep(p.work)
	p.hang(r)
	if p.isGone(began) || cutOff {
		panic(http.ErrAbortHandler)
	}
}

// run has a process asked for something, then what is to be done, and then for harmless
// things one after another until its death is looked into.
func (p *mortal) run(t *testing.T, path string, then func(context.Context, *Traffic)) []Death {
	patience := PatienceFor(5 * time.Second)
	patience.Search = cmp.Or(p.search, patience.Search)
	traffic := p.askedBy(t, 1, patience)
	for range 20 {
		traffic.Do(as(t, "BEFORE"), "before", p.request("/before"))
	}
	traffic.Do(as(t, "CULPRIT"), "culprit", p.request(path))
	then(as(t, "THEN"), traffic)
	for began := time.Now(); len(traffic.Deaths()) == 0 && time.Since(began) < 30*time.Second; {
		if ev := traffic.Do(as(t, "AFTER"), "after", p.request("/after")); ev.Exchange.Err != nil {
			t.Errorf("what is harmless gets %v", ev.Exchange.Err)
		}
	}
	return traffic.Deaths()
}

// askedBy starts a process, and returns what sends it requests. A problem is an error where
// it is to come back.
func (p *mortal) askedBy(t *testing.T, concurrency int, patience Patience) *Traffic {
	p.t, p.address = t, "127.0.0.1:0"
	p.start()
	client := wire.NewClient(wire.Options{Timeout: 5 * time.Second})
	traffic := NewTraffic(t.Context(), Options{Client: client, Unbounded: client, Concurrency: concurrency, Patience: patience,
		Now: time.Now, Seen: func(wire.Exchange) {}, Problem: func(text, _ string) {
			if !p.forGood && !p.hangs {
				t.Error(text)
			}
		}})
	t.Cleanup(traffic.Close)
	for _, address := range []string{p.address, p.other} {
		if plain := at(address, "/"); address != "" {
			traffic.Watch(traffic.Do(t.Context(), "plain", plain), func() (wire.Request, error) { return plain, nil })
		}
	}
	return traffic
}

// as is the context of a check.
func as(t *testing.T, check string) context.Context {
	return WithRunning(t.Context(), &Running{Rule: rule.Rule{ID: check}})
}

func at(address, path string) wire.Request {
	return wire.Request{Method: http.MethodGet, URL: "http://" + address + path}
}

func (p *mortal) request(path string) wire.Request { return at(p.address, path) }

const (
	ms      = time.Millisecond
	downFor = 300 * ms
)

// Who answers and dies of it afterwards is found, however long that takes, whatever was
// answered meanwhile, and however soon it is back: it is waited for as long as it took at first.
func TestADeathThatComesLateHasItsCulprit(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup // all of it is waiting
	for name, p := range map[string]*mortal{
		"at once":                      {dies: []time.Duration{30 * ms}, work: 2 * ms},
		"while many are answered":      {dies: []time.Duration{800 * ms}, work: ms},
		"while many ask at once":       {dies: []time.Duration{350 * ms}, work: 10 * ms, atOnce: true},
		"of a service slow at first":   {dies: []time.Duration{30 * ms}, work: 2 * ms, cold: 300 * ms},
		"later each time but at first": {dies: []time.Duration{100 * ms, 600 * ms}, work: 5 * ms},
	} {
		all.Go(func() {
			deaths := p.run(t, "/deadly", func(ctx context.Context, traffic *Traffic) {
				if !p.atOnce {
					return
				}
				for _, ev := range traffic.AtOnce(ctx, "many at once", slices.Repeat([]wire.Request{p.request("/many")}, 8)) {
					if ev.Exchange.Err != nil || ev.Killed != nil {
						t.Errorf("%s: one of many gets %v", name, ev.Exchange.Err)
					}
				}
			})
			if len(deaths) != 1 || deaths[0].Check != "CULPRIT" || deaths[0].Times < 2 || !deaths[0].Late {
				t.Errorf("%s: it says %v", name, deaths)
			}
		})
	}
	all.Wait()
}

// Who hangs up first, and ends a moment later, has died of it.
func TestADeathAfterTheConnectionWasCutOffHasItsCulprit(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for _, concurrency := range []int{0, 1} {
		for _, later := range []time.Duration{30 * ms, 100 * ms, 150 * ms, 220 * ms} {
			all.Go(func() {
				p := &mortal{cutsOff: true, dies: []time.Duration{later}}
				traffic := p.askedBy(t, concurrency, PatienceFor(5*time.Second))
				traffic.Do(as(t, "BEFORE"), "before", p.request("/before"))
				ev := traffic.Do(as(t, "CULPRIT"), "culprit", p.request("/deadly"))
				traffic.Do(as(t, "AFTER"), "after", p.request("/after"))
				traffic.Settle(t.Context())
				if deaths := traffic.Deaths(); ev.Killed == nil || len(deaths) != 1 || deaths[0].Check != "CULPRIT" || deaths[0].Times < 2 {
					t.Errorf("concurrency %d, %v later: it says %v", concurrency, later, deaths)
				}
			})
		}
	}
	all.Wait()
}

// Who was hung up on and is answered when that is looked into, may kill it all the same, later
// than it was looked.
func TestWhoIsAnsweredTheSecondTimeMayKill(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for _, later := range []time.Duration{100 * ms, 400 * ms, 700 * ms, 1200 * ms} {
		all.Go(func() {
			p := &mortal{cutsOff: true, once: true, work: 2 * ms, dies: []time.Duration{later}}
			deaths := p.run(t, "/deadly", func(context.Context, *Traffic) {})
			if len(deaths) == 0 {
				t.Errorf("%v later: it says nothing", later)
			}
			for _, d := range deaths {
				if d.Check != "CULPRIT" || d.Times < 2 {
					t.Errorf("%v later: it says %v", later, d)
				}
			}
		})
	}
	all.Wait()
}

// Who is hung up on, as some refuse, has not ended what was to end just then of what
// it had answered before; nor do many of them hide that.
func TestWhoIsHungUpOnIsNotWhoKills(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for _, later := range []time.Duration{30 * ms, 90 * ms, 150 * ms, 200 * ms, 600 * ms} {
		for _, refusals := range []int{1, 20} {
			all.Go(func() {
				p := &mortal{work: ms, dies: []time.Duration{later}}
				traffic := p.askedBy(t, 0, PatienceFor(5*time.Second))
				traffic.Do(as(t, "REFUSED"), "refused before", p.request("/refused"))
				traffic.Do(as(t, "CULPRIT"), "culprit", p.request("/deadly"))
				var asked sync.WaitGroup
				for range refusals {
					asked.Go(func() { traffic.Do(as(t, "REFUSED"), "refused", p.request("/refused")) })
				}
				asked.Wait()
				for range 20 {
					traffic.Do(as(t, "AFTER"), "after", p.request("/after"))
				}
				traffic.Settle(t.Context())
				for _, d := range traffic.Deaths() {
					if d.Check != "CULPRIT" || d.Times < 2 {
						t.Errorf("%v later, %d refused: it says %v", later, refusals, d)
					}
				}
				if len(traffic.Deaths()) == 0 {
					t.Errorf("%v later, %d refused: it says nothing", later, refusals)
				}
			})
		}
	}
	all.Wait()
}

// All else waits while it is looked for who is to blame. That ends, found or not.
func TestNobodyIsLookedForForEver(t *testing.T) {
	t.Parallel()
	p := &mortal{work: 2 * ms, dies: []time.Duration{30 * ms}, search: -time.Hour}
	deaths := p.run(t, "/deadly", func(context.Context, *Traffic) {})
	if len(deaths) != 1 || deaths[0].Blamed() || p.asked["/deadly"] != 1 {
		t.Errorf("it says %v, and %d were sent that kill", deaths, p.asked["/deadly"])
	}
}

// Where nothing that was sent has ended it, nobody is accused, and each is sent again at
// most once.
func TestADeathOfItsOwnHasNoCulprit(t *testing.T) {
	t.Parallel()
	p := &mortal{work: 2 * ms}
	deaths := p.run(t, "/harmless", func(context.Context, *Traffic) { p.end(p.running()) })
	if len(deaths) != 1 || deaths[0].Blamed() {
		t.Errorf("it says %v", deaths)
	}
	if again := p.asked["/before"] + p.asked["/harmless"] - 21; again > 21 {
		t.Errorf("%d of 21 were sent again", again)
	}
}

// Who is known to kill it, and finds nobody there, has not killed it that time.
func TestWhoFindsItDeadHasNotKilledIt(t *testing.T) {
	t.Parallel()
	p := &mortal{work: 2 * ms, dies: []time.Duration{30 * ms, 30 * ms, 30 * ms, 30 * ms, 400 * ms}}
	traffic := p.askedBy(t, 0, PatienceFor(5*time.Second))
	culprit := as(t, "CULPRIT")
	traffic.Do(culprit, "deadly", p.request("/deadly"))
	traffic.Settle(t.Context())
	if deaths := traffic.Deaths(); len(deaths) != 1 || deaths[0].Check != "CULPRIT" {
		t.Fatalf("it says %v", deaths)
	}
	traffic.Do(culprit, "deadly, later", p.request("/deadly"))
	for p.running() != nil {
		time.Sleep(5 * ms)
	}
	if ev := traffic.Do(culprit, "harmless", p.request("/deadly?not")); ev.Killed != nil || ev.Exchange.Err != nil {
		t.Errorf("it gets %v, and kills it: %v", ev.Exchange.Err, ev.Killed)
	}
}
