package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/net/http/httpguts"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// RequestOptions say what is sent where.
type RequestOptions struct {
	URL       string    // the webhook's public URL
	ConnectTo string    // the URL that is really called; empty: URL
	Secret    string    // of the HMAC; empty: the request is not signed
	Token     token.Raw // empty: no Authorization header
	Payload   Payload
	Manner    *Manner // nil: as documented, or assumed
}

// NewRequest returns the request that Kindly would send. It does not ask
// whether the token may go there. Errors quote neither the URL nor the token.
func NewRequest(o RequestOptions) (wire.Request, error) {
	if err := checkURL("the webhook's URL", o.URL); err != nil {
		return wire.Request{}, err
	}
	if o.ConnectTo != "" {
		if err := checkURL("the URL to connect to", o.ConnectTo); err != nil {
			return wire.Request{}, err
		}
	}
	body, err := o.Payload.Body()
	if err != nil {
		return wire.Request{}, err
	}
	h := http.Header{"Content-Type": {"application/json"}}
	if o.Token != "" {
		bearer := "Bearer " + o.Token.Secret()
		if !httpguts.ValidHeaderFieldValue(bearer) {
			return wire.Request{}, errors.New("the token cannot be sent: it has characters that no HTTP header can hold")
		}
		h.Set("Authorization", bearer)
	}
	r := wire.Request{Method: http.MethodPost, URL: o.URL, ConnectTo: o.ConnectTo, Header: h, Body: body}
	if err := o.Manner.dress(&r, o.Payload.Exchange.ID); err != nil {
		return wire.Request{}, fmt.Errorf("the payload, as Kindly was seen to send it: %w", err)
	}
	o.Manner.Sign(r.Header, o.Secret, r.Body)
	return r, nil
}

func checkURL(what, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%s is not an absolute http or https URL, such as https://hooks.example.com/kindly", what)
	}
	return nil
}
