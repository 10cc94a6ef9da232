package allowlist_test

import (
	"errors"
	"fmt"

	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
)

func ExampleDecide() {
	d := allowlist.Decide([]string{"example.com"}, "https://www.example.com/kindly")
	fmt.Println(d.Allowed, d.Reason)
	// Output: false example.com does not cover www.example.com: add *.example.com or www.example.com
}

func ExampleParsePattern() {
	for _, s := range []string{"*.Example.com", "https://example.com/", "*.co.uk"} {
		p, err := allowlist.ParsePattern(s)
		var wrong *allowlist.PatternError
		switch {
		case errors.As(err, &wrong) && wrong.Broad:
			fmt.Println(s, "is too broad")
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println(p)
		}
	}
	// Output:
	// *.example.com
	// "https://example.com/" is not a valid webhook domain: it has a scheme; an entry is only a host; write example.com
	// *.co.uk is too broad
}

func ExampleCover() {
	pattern, err := allowlist.Cover("https://hooks.example.com/kindly")
	fmt.Println(pattern, err)
	// Output: hooks.example.com <nil>
}
