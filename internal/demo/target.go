// Package demo says what target each customer of fixtures is.
package demo

import (
	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/target"
)

// Target is the target that a reference customer is: what its
// developers would write into kindlytest.yaml.
func Target(c *fixtures.Customer) (target.Target, error) {
	public, err := token.ParsePublicKey("the customer's public key", c.PublicPEM)
	if err != nil {
		return target.Target{}, err
	}
	private, err := token.ParsePrivateKey("the customer's private key", c.PrivatePEM)
	if err != nil {
		return target.Target{}, err
	}
	t := target.Target{
		PageURL: c.PageURL, BotKey: c.BotKey,
		Login: loginOf(c, c.Users[0]), Second: loginOf(c, c.Users[1]),
		PublicKeys: []*token.Key{public}, PublicPEM: c.PublicPEM, PrivateKey: private,
		Published: c.Published, Resolve: c.Resolve,
	}
	if len(c.Gate) > 0 {
		t.Gates = []target.Gate{{Header: c.Gate}}
	}
	for _, w := range c.Webhooks {
		t.Webhooks = append(t.Webhooks, target.Webhook{
			Name: w.Name, URL: w.PublicURL, ConnectTo: w.LocalURL, Secret: w.Secret, Message: w.Message,
		})
	}
	return t, nil
}

func loginOf(c *fixtures.Customer, u fixtures.User) *browser.Login {
	return &browser.Login{Steps: []browser.Step{
		{Goto: c.LoginURL},
		{Fill: []browser.Field{{Selector: "#email", Value: u.Email}, {Selector: "#password", Value: u.Password}}},
		{Click: "button[type=submit]"},
		{WaitFor: c.AccountMark},
	}}
}
