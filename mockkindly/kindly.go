package mockkindly

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// Options configure a Kindly. Bots or AnyBot is needed; the rest has defaults.
type Options struct {
	// Bots are known by their keys.
	Bots []Bot
	// AnyBot serves every other key that is not empty: a template whose Key is
	// not read. Nil means that other keys are unknown.
	AnyBot *Bot
	// WantedKey is the one that pages should carry: that another one is served, too,
	// is a breach (PAGE-WIDGET). Empty: any will do.
	WantedKey string

	// Client sends the requests to webhooks. Nil means one of its own, with a
	// timeout of 10 s. (How long Kindly waits is unpublished.)
	Client *wire.Client
	// Manner is how requests are sent where Kindly was seen to do otherwise; nil: as
	// documented, or assumed.
	Manner *webhook.Manner

	Now  func() time.Time // the clock that tokens are judged by; time.Now if nil
	Rand io.Reader        // where IDs come from; crypto/rand if nil

	// Public is the base URL of links to the mock's own pages;
	// https://bot.kindly.ai if empty.
	Public string

	ChatLimit    int // chats that are kept, the newest; 10,000 if 0
	ChatBytes    int // memory that they may take, roughly; 64 MiB if 0
	JournalSize  int // events that are kept, the newest; 10,000 if 0
	JournalBytes int // memory that they may take, roughly; 64 MiB if 0
	Parallel     int // webhook requests in flight at once; 64 if 0

	// Store keeps the journal and the chats; nil keeps them in memory only. The
	// mock does not close it.
	Store Store

	// SigningKey makes the tokens of resent deliveries; nil means that there are
	// no expired ones.
	SigningKey *token.PrivateKey
	// NextSecret signs instead of each webhook's own secret while the fault
	// RotateSecret is on; random if empty.
	NextSecret string

	// Secrets are further values that neither the API nor the store may show, such
	// as the tokens of server.Options.
	Secrets []string

	// Application is the customer's own chat client, if there is one.
	Application Application
}

// ErrUnknownBot says that no bot has the key, ErrUnknownChat that no chat has
// the ID (any more).
var (
	ErrUnknownBot  = errors.New("unknown bot key")
	ErrUnknownChat = errors.New("unknown chat")
)

// A Kindly plays Kindly's part. It is safe for concurrent use. Package server
// lets others use it by HTTP.
type Kindly struct {
	opts       Options
	client     *wire.Client
	ownsClient bool
	journal    *Journal
	ids        *idSource
	slots      chan struct{} // one for each webhook request in flight
	redact     *redact.Redactor

	ctx    context.Context // ends at Close, and with it what is in flight
	cancel context.CancelFunc
	flying sync.WaitGroup

	mu     sync.Mutex
	closed bool
	bots   *queue[Bot]
	chats  *queue[*Chat]
	faults Faults
	state  State

	app application
}

// New returns a mock. Close it after use.
func New(o Options) (*Kindly, error) {
	o = o.withDefaults()
	k := &Kindly{
		opts: o, client: o.Client,
		journal: newJournal(o.JournalSize, o.JournalBytes),
		ids:     &idSource{rand: o.Rand},
		slots:   make(chan struct{}, o.Parallel),
		chats:   o.newChats(),
		state:   newBoot(),
		redact:  &redact.Redactor{},
	}
	var err error
	if k.bots, err = o.newBots(); err != nil {
		return nil, fmt.Errorf("mockkindly: %w", err)
	}
	if err := k.openStore(); err != nil {
		return nil, fmt.Errorf("mockkindly: %w", err)
	}
	if k.opts.NextSecret == "" {
		if k.opts.NextSecret, err = randomSecret(); err != nil {
			return nil, fmt.Errorf("mockkindly: %w", err)
		}
	}
	k.redact.Learn(o.Secrets...)
	k.redact.Learn(k.opts.NextSecret)
	k.learn(o.Application.Webhook)
	for _, b := range o.Bots {
		k.learn(b.Webhooks...)
	}
	if o.AnyBot != nil {
		k.learn(o.AnyBot.Webhooks...)
	}
	if k.client == nil {
		k.client, k.ownsClient = wire.NewClient(wire.Options{Now: o.Now, MaxConns: o.Parallel}), true
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k, nil
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Public == "" {
		o.Public = "https://bot.kindly.ai"
	}
	o.Public = strings.TrimSuffix(o.Public, "/")
	o.Bots = slices.Clone(o.Bots) // Reset reads them again
	for i, b := range o.Bots {
		o.Bots[i] = b.clone()
	}
	if o.AnyBot != nil {
		template := o.AnyBot.clone()
		o.AnyBot = &template
	}
	o.ChatLimit = orDefault(o.ChatLimit, 10_000)
	o.ChatBytes = orDefault(o.ChatBytes, defaultChatBytes)
	o.JournalSize = orDefault(o.JournalSize, defaultJournalSize)
	o.JournalBytes = orDefault(o.JournalBytes, defaultJournalBytes)
	o.Parallel = orDefault(o.Parallel, 64)
	return o
}

func orDefault(n, def int) int {
	if n <= 0 {
		return def
	}
	return n
}

func (o Options) newChats() *queue[*Chat] { return newQueue[*Chat](o.ChatLimit).within(o.ChatBytes) }

// newBots checks the bots of the options and puts them on a fresh queue.
func (o Options) newBots() (*queue[Bot], error) {
	if len(o.Bots) > maxBots {
		return nil, inputErrorf("bots", "more than %d", maxBots)
	}
	bots := newQueue[Bot](maxBots)
	for _, b := range o.Bots {
		if err := b.validate(); err != nil {
			return nil, fmt.Errorf("bot %q: %w", b.Key, err)
		}
		if bots.put(b.Key, b.clone()) {
			return nil, inputErrorf("bots", "two have the key %q", b.Key)
		}
	}
	if err := o.Application.validate(); err != nil {
		return nil, err
	}
	if o.AnyBot != nil {
		if err := o.AnyBot.validateParts(); err != nil {
			return nil, fmt.Errorf("the template for any bot: %w", err)
		}
	}
	return bots, nil
}

// Close stops the mock: deliveries in flight are given up, everyone who waits
// for the journal gets ErrClosed. The journal can still be read.
func (k *Kindly) Close() error {
	k.mu.Lock()
	first := !k.closed
	k.closed = true
	k.mu.Unlock()
	if !first {
		return nil
	}
	k.cancel()
	k.flying.Wait()
	k.journal.close()
	if k.ownsClient {
		k.client.Close()
	}
	return nil
}

// Done is closed when the mock is.
func (k *Kindly) Done() <-chan struct{} { return k.ctx.Done() }

// Public is the base URL of links to the mock's own pages.
func (k *Kindly) Public() string { return k.opts.Public }

// Journal is everything that happened.
func (k *Kindly) Journal() *Journal { return k.journal }

// AddBot makes a bot known, or replaces the one that has its key. It reports
// whether it replaced one. Beyond 1,000 bots the oldest is forgotten.
func (k *Kindly) AddBot(b Bot) (replaced bool, err error) {
	if err := b.validate(); err != nil {
		return false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return false, ErrClosed
	}
	k.state.Version++
	k.learn(b.Webhooks...)
	return k.bots.put(b.Key, b.clone()), nil
}

// Bot returns the bot that serves a key, be it the template.
func (k *Kindly) Bot(key string) (Bot, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b, ok := k.bot(key)
	return b.clone(), ok
}

func (k *Kindly) bot(key string) (Bot, bool) {
	if b, ok := k.bots.get(key); ok {
		return b, true
	}
	if k.opts.AnyBot == nil || key == "" || len(key) > maxName {
		return Bot{}, false
	}
	b := *k.opts.AnyBot
	b.Key = key
	return b, true
}

// Bots returns the bots that are known by their keys, the oldest first, and
// whether other keys are served too.
func (k *Kindly) Bots() (bots []Bot, anyKey bool) {
	k.mu.Lock()
	bots = k.bots.newest(0)
	k.mu.Unlock()
	slices.Reverse(bots)
	return bots, k.opts.AnyBot != nil
}

// Health says what a mock holds.
type Health struct {
	Now     time.Time `json:"now"` // by the clock that tokens are judged by
	Bots    int       `json:"bots"`
	Chats   int       `json:"chats"`
	Events  uint64    `json:"events"`   // that happened
	Dropped uint64    `json:"dropped"`  // that are no longer kept
	Stored  bool      `json:"stored"`   // they survive a restart
	CanSign bool      `json:"can_sign"` // a private key is there, for tokens in other states
}

// Health looks at the mock and its store. It fails with ErrClosed or a *StoreError.
func (k *Kindly) Health() (Health, error) {
	h := Health{Now: k.Now(), Stored: k.opts.Store != nil, CanSign: k.opts.SigningKey != nil}
	k.mu.Lock()
	closed := k.closed
	h.Bots, h.Chats = k.bots.len(), k.chats.len()
	k.mu.Unlock()
	if closed {
		return h, ErrClosed
	}
	first, last, err := k.journal.span()
	if h.Events, h.Dropped = last, last; first > 0 {
		h.Dropped = first - 1
	}
	return h, err
}

// Reset forgets chats, events, faults and bots that were added later, as if the
// mock were new. Numbers of events go on counting.
func (k *Kindly) Reset() error {
	k.mu.Lock()
	closed := k.closed
	k.mu.Unlock()
	if closed {
		return ErrClosed
	}
	bots, err := k.opts.newBots()
	if err != nil {
		return fmt.Errorf("resetting the mock: %w", err)
	}
	return k.journal.reset(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.bots, k.chats = bots, k.opts.newChats()
		k.faults = Faults{}
		k.state.Resets++
		k.state.Version++
	})
}

// record journals e at the present time. changed says that its chat is another
// than before. The error is a *StoreError.
func (k *Kindly) record(e Event, changed bool) error {
	_, err := k.begin(e, changed, pending{}).wait()
	return err
}

// begin is record for callers who have something to do until it is written.
func (k *Kindly) begin(e Event, changed bool, after pending) pending {
	e.At = k.opts.Now()
	return k.journal.append(k.withoutSecrets(e), changed, after)
}
