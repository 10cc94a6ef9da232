package oracle_test

import (
	"fmt"

	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/wire"
)

func Example() {
	says := func(text string) wire.Exchange {
		return wire.Exchange{Response: &wire.Response{Status: 200, Body: []byte(`{"reply":"` + text + `"}`)}}
	}
	o, err := oracle.Learn(oracle.Controls{
		Valid:     []wire.Exchange{says("Hi Ada, it is 10:01"), says("Hi Ada, it is 10:02")},
		Anonymous: []wire.Exchange{says("Please log in"), says("Please log in")},
	}, oracle.Options{Markers: []oracle.Marker{{Claim: "name", Value: "Ada"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, ex := range []wire.Exchange{says("Please log in"), says("Hi Mallory, it is 10:03")} {
		j := o.Judge(oracle.Probe{Exchange: ex, Canaries: []string{"Mallory"}})
		fmt.Printf("%s: %s\n", j.Class, j.Why)
	}
	// Output:
	// stranger: the answer is like the one without a token
	// believed: the answer shows "Mallory", which was made up for the forged token
}
