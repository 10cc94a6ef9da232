package browser

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// startTimeout bounds the time until a new Chrome answers.
const startTimeout = 30 * time.Second

// Options say which Chrome to use. The zero value finds one and runs it headless.
type Options struct {
	Path   string // the executable; Find if empty
	URL    string // ws:// of a running Chrome to connect to instead; it is left running
	Headed bool   // show a window (needs a Chrome, not a headless shell)
	// UserAgentSuffix is appended to Chrome's own User-Agent, after a space:
	// "kindlytest/0.1".
	UserAgentSuffix string
	TempDir         string // where Chrome's folder is made; the system's if empty
	// Resolve maps host names to the address to dial instead ("127.0.0.1", or
	// "127.0.0.1:8443" to change the port too), like curl's --resolve. It has no
	// effect with URL.
	Resolve map[string]string
	// Unresolved are hosts that lead nowhere, as Kindly's own do, unless Resolve names
	// them. It has no effect with URL.
	Unresolved []string
	// RealKindly leaves Kindly's hosts as they are.
	RealKindly bool
	// RootCAs are trusted for https; nil leaves that to Chrome and the system. It
	// has no effect with URL.
	RootCAs *x509.CertPool
	// Gates go with the requests to their origins, whoever is logged in. With URL
	// their client certificates have no effect.
	Gates wire.Gates
	// Proxy is called through, but for hosts that Resolve names. It has no effect
	// with URL.
	Proxy wire.Proxy
	Now   func() time.Time // time.Now if nil
}

// bridged says whether Chrome needs the bridge.
func (o Options) bridged() bool {
	return o.RootCAs != nil || slices.ContainsFunc(o.Gates, func(g wire.Gate) bool { return g.Certificate != nil })
}

// A Browser is one Chrome.
type Browser struct {
	conn      *conn
	process   *process // nil if it is not ours
	bridge    *bridge  // nil if none is needed
	userAgent string
	gates     wire.Gates
	proxy     wire.Proxy
	now       func() time.Time

	life    context.Context // ends when the browser does
	endLife context.CancelCauseFunc

	workers map[target.SessionID]worker // of onEvent's goroutine

	mu    sync.Mutex
	users map[cdp.BrowserContextID]*User

	closeOnce sync.Once
	closeErr  error
	closed    chan struct{}
}

// Launch starts Chrome, or connects to one. Chrome lives until Close or until
// ctx is done; either way it is killed with all its processes and its folder is
// removed. Errors: *NotFoundError where there is no Chrome; otherwise the error
// names the executable and quotes the last lines that Chrome said.
func Launch(ctx context.Context, o Options) (*Browser, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("starting the browser: %w", err)
	}
	b := &Browser{closed: make(chan struct{}), users: map[cdp.BrowserContextID]*User{}, workers: map[target.SessionID]worker{}, gates: o.Gates, proxy: o.Proxy, now: o.Now}
	if b.now == nil {
		b.now = time.Now
	}
	transport, err := b.open(ctx, o)
	if err != nil {
		return nil, err
	}
	b.life, b.endLife = context.WithCancelCause(context.WithoutCancel(ctx))
	b.conn = newConn(transport)
	b.conn.start(b.onEvent)
	if err := b.greet(ctx, o); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	context.AfterFunc(ctx, func() { _ = b.Close() }) // the caller's own Close returns the error
	// Its user may close it, and it may crash.
	go func() {
		<-b.conn.done
		b.endLife(b.conn.lost())
		_ = b.Close()
	}()
	return b, nil
}

func (b *Browser) open(ctx context.Context, o Options) (chromedp.Transport, error) {
	if o.URL != "" {
		t, err := remote.DialContext(ctx, o.URL)
		if err != nil {
			return nil, fmt.Errorf("connecting to the browser at %s: %w", o.URL, err)
		}
		return t, nil
	}
	path := o.Path
	if path == "" {
		var err error
		if path, err = find(o.Headed); err != nil {
			return nil, err
		}
	}
	more := proxyFlags(o, "")
	if o.bridged() {
		var err error
		if b.bridge, err = startBridge(o); err != nil {
			return nil, err
		}
		more = b.bridge.flags(o)
	}
	p, t, err := startProcess(path, o.TempDir, o, more...)
	if err != nil {
		b.closeBridge()
		return nil, err
	}
	b.process = p
	return t, nil
}

// greet waits for the first answer, which also tells the User-Agent.
func (b *Browser) greet(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("no answer within %v", startTimeout))
	defer cancel()
	v, err := call(ctx, b.conn.root, browser.GetVersion, cdp.Empty{})
	if err != nil {
		return b.startError(o, err)
	}
	// Sites treat headless browsers otherwise; a user has none.
	b.userAgent = strings.Replace(v.UserAgent, "HeadlessChrome", "Chrome", 1)
	if o.UserAgentSuffix != "" {
		b.userAgent += " " + o.UserAgentSuffix
	}
	if !o.RealKindly {
		tell(ctx, b.conn.root, fetch.Enable, fetch.EnableParams{Patterns: patterns(false)})
	}
	_, err = call(ctx, b.conn.root, target.SetAutoAttach, target.SetAutoAttachParams{
		AutoAttach: true, WaitForDebuggerOnStart: true, Flatten: new(true),
		Filter: attachToShared,
	})
	return err
}

func (b *Browser) startError(o Options, err error) error {
	if b.process == nil {
		return fmt.Errorf("talking to the browser at %s: %w", o.URL, err)
	}
	if errors.Is(err, ErrClosed) {
		select { // what it said is complete when it is gone
		case <-b.process.exited:
		case <-time.After(2 * time.Second):
		}
		err = b.process.died()
	}
	return fmt.Errorf("starting the browser %s: %w", b.process.cmd.Path, err)
}

// onEvent sees the workers that belong to no page: they are their user's.
func (b *Browser) onEvent(_ *session, method string, params jsonv2.Value) {
	switch method {
	case fetch.RequestPaused.Method:
		b.onEscaped(method, params)
	case tooLarge:
		if ev, ok := decodeEvent[eventTooLarge](params); ok && ev.Method == fetch.RequestPaused.Method {
			go fail(b.life, b.conn.root, fetch.RequestID(ev.RequestID), network.ErrorReasonFailed)
		}
	case target.AttachedToTarget.Method:
		ev, ok := decodeEvent[target.EventAttachedToTarget](params)
		if !ok || ev.TargetInfo == nil {
			return
		}
		kind := ev.TargetInfo.Type
		if kind != "service_worker" && kind != "shared_worker" {
			return // a tab of ours, told twice
		}
		b.mu.Lock()
		u := b.users[ev.TargetInfo.BrowserContextID]
		b.mu.Unlock()
		if u != nil {
			u.adopt(ev)
			return
		}
		s := b.conn.session(ev.SessionID, nil) // of another program, in a shared browser
		go tell(b.life, s, runtime.RunIfWaitingForDebugger, cdp.Empty{})
	case target.DetachedFromTarget.Method:
		if ev, ok := decodeEvent[target.EventDetachedFromTarget](params); ok {
			b.conn.drop(ev.SessionID)
			delete(b.workers, ev.SessionID)
		}
	}
}

func (b *Browser) addUser(u *User) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users[u.id] = u
}

func (b *Browser) dropUser(u *User) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.users, u.id)
}

// Close ends Chrome and removes its folder; a Chrome that was connected to by
// URL stays. It is safe to call at any time and more than once.
func (b *Browser) Close() error {
	b.closeOnce.Do(func() {
		if b.conn != nil {
			b.conn.leaving.Store(true)
		}
		b.endLife(ErrClosed)
		if b.process != nil {
			b.closeErr = b.process.end()
		}
		b.conn.close()
		b.closeBridge()
		close(b.closed)
	})
	<-b.closed
	return b.closeErr
}

func (b *Browser) closeBridge() {
	if b.bridge != nil {
		b.bridge.close()
	}
}

// kindlyHosts are the hosts whose requests are answered here.
var kindlyHosts = []string{"kindlycdn.com", "kindly.ai"}

// KindlyHost reports whether requests for the host (a name without a port) are
// answered by the handler given to Visit.
func KindlyHost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return slices.ContainsFunc(kindlyHosts, func(h string) bool {
		return host == h || strings.HasSuffix(host, "."+h)
	})
}

// WithoutSandbox reports whether a Chrome that this process starts has no sandbox:
// Chrome's refuses root.
func WithoutSandbox() bool { return os.Geteuid() == 0 }

// flags are Chrome's, for a quiet, short-lived browser that talks to nobody but
// the page's servers.
func flags(o Options, profile string, more ...string) []string {
	out := []string{
		"--user-data-dir=" + profile,
		"--no-first-run", "--no-default-browser-check", "--disable-default-apps", "--disable-extensions",
		"--disable-background-networking", "--disable-component-update", "--disable-component-extensions-with-background-pages",
		"--disable-sync", "--disable-domain-reliability", "--disable-client-side-phishing-detection",
		"--disable-field-trial-config", "--metrics-recording-only", "--no-pings", "--no-service-autorun",
		"--disable-breakpad", "--disable-crash-reporter", "--disable-search-engine-choice-screen",
		"--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
		"--disable-hang-monitor", "--block-new-web-contents", "--disable-prompt-on-repost", "--disable-ipc-flooding-protection",
		"--disable-quic", "--mute-audio", "--hide-scrollbars", "--password-store=basic", "--use-mock-keychain",
		"--window-size=1366,900",               // a desk's: headless it is 800 by 600, which pages take for a small device
		"--disable-dev-shm-usage",              // 64 MB in many containers
		"--js-flags=--max-old-space-size=1536", // MB a page: else one takes 4 GB
		"--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,AutofillServerCommunication,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
		"--host-resolver-rules=" + resolverRules(o),
	}
	if WithoutSandbox() {
		out = append(out, "--no-sandbox")
	}
	// A first tab that nobody uses would cost a process, just when ours starts, and
	// leave an empty window. Chrome lives on without one.
	out = append(out, "--no-startup-window")
	if !o.Headed {
		out = append(out, "--headless", "--disable-gpu")
	}
	return append(out, more...)
}

// resolverRules are Chrome's MAP rules, in a stable order. The first that
// matches counts, so what the user wants comes before Kindly's hosts, which
// resolve to nothing.
func resolverRules(o Options) string {
	var rules []string
	for host, to := range o.Resolve {
		if ip := net.ParseIP(to); ip != nil && ip.To4() == nil {
			to = "[" + to + "]"
		}
		rules = append(rules, "MAP "+strings.ToLower(host)+" "+to)
	}
	slices.Sort(rules)
	for _, h := range o.Unresolved {
		rules = append(rules, "MAP "+strings.ToLower(h)+" ~NOTFOUND")
	}
	if o.RealKindly {
		return strings.Join(rules, ", ")
	}
	for _, h := range kindlyHosts {
		rules = append(rules, "MAP "+h+" ~NOTFOUND", "MAP *."+h+" ~NOTFOUND")
	}
	return strings.Join(rules, ", ")
}
