package mockkindly

import (
	"crypto/tls"
	"errors"
	"math/bits"
	"reflect"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// memory is what v takes with all that it points to, in bytes, roughly and
// rather too much than too little. Foreign JSON has to be counted so, as it is
// decoded: [{},{},…] takes thirty times its length.
func memory(v any) int {
	if v == nil {
		return 0
	}
	r := reflect.ValueOf(v)
	return int(r.Type().Size()) + held(r)
}

// shared types are of the program, of the mock or of a bot: no event or chat adds to them.
var shared = map[reflect.Type]bool{
	reflect.TypeFor[rule.Rule]():        true,
	reflect.TypeFor[*token.Key]():       true,
	reflect.TypeFor[*time.Location]():   true,
	reflect.TypeFor[*redact.Redactor](): true,
}

// held is what v points to.
func held(v reflect.Value) int {
	switch v.Kind() {
	case reflect.String:
		return allocated(v.Len())
	case reflect.Pointer:
		if v.IsNil() || shared[v.Type()] {
			return 0
		}
		return allocated(int(v.Type().Elem().Size())) + held(v.Elem())
	case reflect.Interface:
		return heldByInterface(v)
	case reflect.Slice:
		return allocated(v.Cap()*int(v.Type().Elem().Size())) + heldByItems(v)
	case reflect.Array:
		return heldByItems(v)
	case reflect.Map:
		return heldByMap(v)
	case reflect.Struct:
		n := 0
		for _, i := range pointing(v.Type()) {
			n += held(v.Field(i))
		}
		return n
	}
	return 0
}

var pointingFields sync.Map // of struct types, []int

// pointing are the fields of a struct type that may point to something.
func pointing(t reflect.Type) []int {
	if known, ok := pointingFields.Load(t); ok {
		return known.([]int)
	}
	var fields []int
	for i := range t.NumField() {
		if points(t.Field(i).Type) {
			fields = append(fields, i)
		}
	}
	pointingFields.Store(t, fields)
	return fields
}

// points tells whether a value of the type may point to something that counts.
func points(t reflect.Type) bool {
	switch k := t.Kind(); {
	case shared[t] || k <= reflect.Complex128: // numbers
		return false
	case k == reflect.Array:
		return points(t.Elem())
	case k == reflect.Struct:
		return len(pointing(t)) > 0
	}
	return true
}

func heldByItems(v reflect.Value) int {
	if !points(v.Type().Elem()) {
		return 0
	}
	n := 0
	for i := range v.Len() {
		n += held(v.Index(i))
	}
	return n
}

// heldByInterface does not look into errors, which may lead anywhere.
func heldByInterface(v reflect.Value) int {
	if v.IsNil() {
		return 0
	}
	if v.Type() == reflect.TypeFor[error]() && v.CanInterface() {
		return heldByError(v.Interface().(error))
	}
	e := v.Elem()
	if e.Type().Size() <= 1 { // true and false are there once
		return 0
	}
	return allocated(int(e.Type().Size())) + held(e)
}

const errorOverhead = 512

func heldByError(err error) int {
	n := errorOverhead + len(err.Error())
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		for _, c := range untrusted.UnverifiedCertificates {
			n += 4096 + 4*len(c.Raw) // as it came, and taken apart
		}
	}
	return n
}

// heldByMap counts as Go's maps are laid out: groups of eight slots, and as
// many of them as a power of two that is filled to 7/8 at most; a large map
// consists of several, which are not filled evenly.
func heldByMap(v reflect.Value) int {
	if v.IsNil() {
		return 0
	}
	const header, group = 48, 8
	slots := 0
	switch n := v.Len(); {
	case n > group:
		slots = 1 << bits.Len(uint(n*8/7)) * 5 / 4
	case n > 0:
		slots = group
	}
	n := header + slots*int(v.Type().Key().Size()+v.Type().Elem().Size()+1)
	for entry := v.MapRange(); entry.Next(); {
		n += held(entry.Key()) + held(entry.Value())
	}
	return n
}

// allocated rounds up to what the allocator gives.
func allocated(n int) int { return (n + 7) &^ 7 }
