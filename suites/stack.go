package suites

import (
	"github.com/kindlytest/kindlytest/fixtures/stack"
)

// StackTarget is the target that a customer in another stack is, and StackOptions
// what its developers know of it.
func StackTarget(c *stack.Customer) (Target, error) {
	t, err := ReferenceTarget(c.Customer)
	if err != nil {
		return Target{}, err
	}
	t.Name = c.Stack.Name
	if c.PageURL == "" {
		t.Login, t.Second = nil, nil
		t.Endpoint = &EndpointConfig{URL: c.EndpointURL, Header: c.Header, ChatIDField: "chatId"}
		t.PrivateKey = nil
	}
	return t, nil
}
