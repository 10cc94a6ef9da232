package webhook_test

import (
	"fmt"

	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

func ExampleSign() {
	fmt.Println(webhook.Sign("examplekey", []byte(`{"foo":1,"bar":2}`)))
	// Output: uEeD0Q7eW9btdx6LFvvlpwkzQBWdbknsQkg1C27Cx7Q=
}

func ExampleNewRequest() {
	req, err := webhook.NewRequest(webhook.RequestOptions{
		URL:     "https://hooks.example.com/kindly",
		Secret:  "examplekey",
		Payload: webhook.New("0b9f6f3e-7a9c-4b1a-8a55-0d4c2f6f9a10", "where is my order?"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	signature, _ := webhook.Signature(req.Header) // Header.Get would look for Kindly-Hmac
	fmt.Println(req.Method, req.URL, webhook.Verify("examplekey", req.Body, signature))
	// Output: POST https://hooks.example.com/kindly true
}

func ExampleParseAnswer() {
	answer, problems, err := webhook.ParseAnswer([]byte(`{"reply":"Hi","buttons":[{"button_type":"link","label":"Site"}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Reply)
	for _, p := range problems {
		fmt.Println(p)
	}
	// Output:
	// Hi
	// RESP-FIELDS MUST: buttons[0].value: expected a string, got no such member
}
