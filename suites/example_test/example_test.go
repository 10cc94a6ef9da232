// Package example_test is a Ginkgo suite as a customer would keep one: specs of
// their own beside those of kindlytest. Here the customer is the reference
// customer; EXAMPLE_FAULT names a mistake for it to make.
package example_test

import (
	"context"
	"net/http"
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/demo"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// customer is started before the specs are known: they need its address.
var customer = func() *fixtures.Customer {
	var o fixtures.Options
	if f, ok := fixtures.FaultByName(os.Getenv("EXAMPLE_FAULT")); ok {
		o.Faults = []fixtures.Fault{f}
	}
	c, err := fixtures.Start(context.Background(), o)
	if err != nil {
		panic(err)
	}
	return c
}()

var _ = suites.Describe(shop(), suites.Options{})

func shop() target.Target {
	t, err := demo.Target(customer)
	if err != nil {
		panic(err)
	}
	return t
}

var _ = Describe("the shop", Label("shop"), func() {
	It("shows its page", func() {
		res, err := http.Get(customer.PageURL)
		Expect(err).NotTo(HaveOccurred())
		defer res.Body.Close()
		Expect(res.StatusCode).To(Equal(http.StatusOK))
	})
})

func TestExample(t *testing.T) {
	if _, err := browser.Find(); err != nil {
		if os.Getenv("KINDLYTEST_REQUIRE_BROWSER") == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, NOT CHECKED: ", err)
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "The shop and its chat")
}
