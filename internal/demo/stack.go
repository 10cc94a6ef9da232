package demo

import (
	"github.com/kindlytest/kindlytest/fixtures/stack"
	"github.com/kindlytest/kindlytest/target"
)

// StackTarget is the target that a customer in another stack is: what its
// developers would write into kindlytest.yaml. One without a page is described by
// its endpoint and its headers alone.
func StackTarget(c *stack.Customer) (target.Target, error) {
	t, err := Target(c.Customer)
	if err != nil {
		return target.Target{}, err
	}
	t.Name = c.Stack.Name
	if c.PageURL == "" {
		return target.Target{
			Name: t.Name, PublicKeys: t.PublicKeys, PublicPEM: t.PublicPEM,
			Endpoint: &target.EndpointConfig{URL: c.EndpointURL, Header: c.Header, ChatIDField: "chatId"},
		}, nil
	}
	return t, nil
}
