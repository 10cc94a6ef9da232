package config

import (
	"errors"

	"github.com/goccy/go-yaml/ast"
)

// The forms of the sections, as the file has them. The schema has seen to their
// types before they are decoded.

type sections struct {
	Bot        *botSection       `yaml:"bot"`
	Page       *pageSection      `yaml:"page"`
	Endpoint   *endpointSection  `yaml:"endpoint"`
	Webhooks   *[]webhookSection `yaml:"webhooks"`
	PrivateKey text              `yaml:"private_key"`
	Sub        text              `yaml:"sub"`
	CAFile     text              `yaml:"ca_file"`
	Resolve    *map[string]text  `yaml:"resolve"`
	Gate       *[]gateSection    `yaml:"gate"`
	Proxy      text              `yaml:"proxy"`
	Observed   text              `yaml:"observed"`
	Checks     checksSection     `yaml:"checks"`
}

type botSection struct {
	Key       text  `yaml:"key"`
	PublicKey texts `yaml:"public_key"`
}

type pageSection struct {
	URL         text          `yaml:"url"`
	Login       *loginSection `yaml:"login"`
	SecondLogin *loginSection `yaml:"second_login"`
	Steps       []step        `yaml:"steps"`
}

type loginForm struct {
	Steps        []step          `yaml:"steps"`
	StorageState text            `yaml:"storage_state"`
	Cookies      cookies         `yaml:"cookies"`
	Headers      map[string]text `yaml:"headers"`
	LocalStorage map[string]text `yaml:"local_storage"`
	Origin       text            `yaml:"origin"`
}

type step struct {
	Goto    text   `yaml:"goto"`
	Fill    fields `yaml:"fill"`
	Click   text   `yaml:"click"`
	WaitFor text   `yaml:"wait_for"`
	Press   text   `yaml:"press"`
	Scroll  text   `yaml:"scroll"`
	Idle    text   `yaml:"idle"`
}

type cookie struct {
	Name     text `yaml:"name"`
	Value    text `yaml:"value"`
	Domain   text `yaml:"domain"`
	Path     text `yaml:"path"`
	Secure   bool `yaml:"secure"`
	HTTPOnly bool `yaml:"http_only"`
	SameSite text `yaml:"same_site"`
}

type endpointSection struct {
	URL           text            `yaml:"url"`
	Method        text            `yaml:"method"`
	Headers       map[string]text `yaml:"headers"`
	ChatIDField   text            `yaml:"chat_id_field"`
	Path          text            `yaml:"path"`
	Query         map[string]text `yaml:"query"`
	Form          map[string]text `yaml:"form"`
	Body          value           `yaml:"body"`
	Token         text            `yaml:"token"`
	SecondHeaders map[string]text `yaml:"second_headers"`
}

type webhookSection struct {
	Name          text                `yaml:"name"`
	URL           text                `yaml:"url"`
	ConnectTo     text                `yaml:"connect_to"`
	HMACSecret    text                `yaml:"hmac_secret"`
	Headers       map[string]text     `yaml:"headers"`
	Message       text                `yaml:"message"`
	Slug          text                `yaml:"slug"`
	Context       value               `yaml:"context"`
	Authenticated *expectationSection `yaml:"authenticated"`
	Refused       *expectationSection `yaml:"refused"`
}

type expectationSection struct {
	Status      statuses `yaml:"status"`
	Contains    texts    `yaml:"contains"`
	NotContains texts    `yaml:"not_contains"`
	JSON        value    `yaml:"json"`
}

type gateSection struct {
	Origins texts           `yaml:"origins"`
	Headers map[string]text `yaml:"headers"`
	Basic   struct {
		User     text `yaml:"user"`
		Password text `yaml:"password"`
	} `yaml:"basic"`
	Cookies           map[string]text `yaml:"cookies"`
	ClientCertificate struct {
		Cert text `yaml:"cert"`
		Key  text `yaml:"key"`
	} `yaml:"client_certificate"`
}

type checksSection struct {
	Only             *texts             `yaml:"only"`
	Skip             *texts             `yaml:"skip"`
	ExpectedFailures *[]expectedFailure `yaml:"expected_failures"`
	Strict           *bool              `yaml:"strict"`
	Safe             *bool              `yaml:"safe"`
	WaitExpiry       *bool              `yaml:"wait_expiry"`
	Concurrency      int                `yaml:"concurrency"`
	Rate             *float64           `yaml:"rate"`
	Timeout          text               `yaml:"timeout"`
}

type expectedFailure struct {
	ID     text `yaml:"id"`
	Reason text `yaml:"reason"`
	Until  text `yaml:"until"`
}

type dialogueSection struct {
	Slug          text  `yaml:"slug"`
	Phrases       texts `yaml:"phrases"`
	Fallback      bool  `yaml:"fallback"`
	Webhook       text  `yaml:"webhook"`
	Reply         text  `yaml:"reply"`
	ExchangeSlug  text  `yaml:"exchange_slug"`
	NewContext    value `yaml:"new_context"`
	Buttons       value `yaml:"buttons"`
	ImageCarousel value `yaml:"image_carousel"`
}

// A text is a string. Numbers and booleans are taken as they are written, for
// nobody should have to quote a version or an order number.
type text string

// UnmarshalYAML takes the scalar as it is written.
func (t *text) UnmarshalYAML(n ast.Node) error {
	s, ok := textOf(n)
	if !ok {
		return errors.New("no text")
	}
	*t = text(s)
	return nil
}

// texts are a list of strings; one alone is a list too.
type texts []string

// UnmarshalYAML takes a list or a text.
func (t *texts) UnmarshalYAML(n ast.Node) error {
	*t = texts{}
	items := []ast.Node{n}
	if list, ok := n.(*ast.SequenceNode); ok {
		items = list.Values
	}
	for _, item := range items {
		s, ok := textOf(item)
		if !ok {
			return errors.New("no text")
		}
		*t = append(*t, s)
	}
	return nil
}

// statuses are a list of numbers; one alone is a list too.
type statuses []int

// UnmarshalYAML takes a list or a number.
func (s *statuses) UnmarshalYAML(n ast.Node) error {
	items := []ast.Node{n}
	if list, ok := n.(*ast.SequenceNode); ok {
		items = list.Values
	}
	for _, item := range items {
		number, err := plain(item, "a status")
		if err != nil {
			return err
		}
		switch v := number.(type) {
		case int64:
			*s = append(*s, int(v))
		case uint64:
			*s = append(*s, int(v))
		case float64: // 200.0 is a whole number to JSON
			*s = append(*s, int(v))
		}
	}
	return nil
}

// A value is anything that JSON has.
type value struct{ any }

// UnmarshalYAML takes what JSON has.
func (v *value) UnmarshalYAML(n ast.Node) (err error) {
	v.any, err = plain(n, "this")
	return err
}

// object is the value if it is one.
func (v value) object() map[string]any {
	o, _ := v.any.(map[string]any)
	return o
}

// fields are selectors and what to put into their fields, in their order, and
// with their variables.
type fields []struct{ selector, value string }

// UnmarshalYAML takes keys and values.
func (f *fields) UnmarshalYAML(n ast.Node) error {
	for _, pair := range pairs(n) {
		key, _ := keyOf(pair.Key)
		s, ok := textOf(pair.Value)
		if !ok {
			return errors.New("no text")
		}
		*f = append(*f, struct{ selector, value string }{key, s})
	}
	return nil
}

// cookies are name: value pairs, or a list of cookies with attributes.
type cookies []cookie

// UnmarshalYAML takes either.
func (c *cookies) UnmarshalYAML(n ast.Node) error {
	if list, ok := n.(*ast.SequenceNode); ok {
		for _, item := range list.Values {
			var one cookie
			if err := decodeNode(item, &one); err != nil {
				return err
			}
			*c = append(*c, one)
		}
		return nil
	}
	for _, pair := range pairs(n) {
		key, _ := keyOf(pair.Key)
		s, _ := textOf(pair.Value)
		*c = append(*c, cookie{Name: text(key), Value: text(s)})
	}
	return nil
}

// A loginSection is a list of steps, or keys and values.
type loginSection struct{ loginForm }

// UnmarshalYAML takes either.
func (l *loginSection) UnmarshalYAML(n ast.Node) error {
	if _, ok := n.(*ast.SequenceNode); ok {
		return decodeNode(n, &l.Steps)
	}
	return decodeNode(n, &l.loginForm)
}

// strs returns texts by their names.
func strs(m map[string]text) map[string]string {
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for name, t := range m {
		out[name] = string(t)
	}
	return out
}
