package suites

import (
	"github.com/kindlytest/kindlytest/fixtures/stack"
)

// StackTarget is the target that a customer in another stack is: what its
// developers would write into kindlytest.yaml. One without a page is described by
// its endpoint and its headers alone.
func StackTarget(c *stack.Customer) (Target, error) {
	t, err := ReferenceTarget(c.Customer)
	if err != nil {
		return Target{}, err
	}
	t.Name = c.Stack.Name
	if c.PageURL == "" {
		return Target{
			Name: t.Name, PublicKeys: t.PublicKeys, PublicPEM: t.PublicPEM,
			Endpoint: &EndpointConfig{URL: c.EndpointURL, Header: c.Header, ChatIDField: "chatId"},
		}, nil
	}
	return t, nil
}
