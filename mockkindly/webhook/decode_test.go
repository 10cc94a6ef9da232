package webhook

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"
)

// Whatever encoding/json takes, the reader takes for the same value.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		`{"reply":"a\"b\\","buttons":[{"label":"x"},[],{}],"n":-1.5e+400,"t":true,"f":false,"z":null}`,
		` [ 1 , "\ud83d\ude00" , "\ud83d" , "é" ] `, `"\\"`, `""`, `0`, `{"a":{"a":1,"a":2}}`, "{\"\":\t[\r\n]}", `[[[[]]]]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || !utf8.Valid(text) {
			t.Skip()
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Skip()
		}
		r := reader{judge: &judge{}, rest: text}
		got, err := r.value("", 0)
		if err != nil {
			t.Skip() // too deep, of which TestParseAnswer knows
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %#v, not %#v", text, got, want)
		}
	})
}
