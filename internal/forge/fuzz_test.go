package forge

import (
	"encoding/json"
	"reflect"
	"testing"
)

func FuzzPageToken(f *testing.F) {
	f.Add("e30.e30.e30")
	f.Add("eyJhbGciOiJSUzI1NiJ9.eyJjaGF0IjoxLCJjaGF0IjpudWxsfQ.AA")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		m := material(t)
		m.Token = Secret(token)
		for _, check := range []string{"HOOK-TAMPERED", "HOOK-SIGNATURE", "HOOK-ALG-MALFORMED", "HOOK-SEGMENTS", "HOOK-DUPLICATE-CLAIMS"} {
			for _, a := range For(check) {
				tokens, err := a.Build(m)
				if err == nil && len(tokens) == 0 && token != "" {
					t.Errorf("%s: neither tokens nor an error", check)
				}
			}
		}
	})
}

func FuzzObject(f *testing.F) {
	f.Add([]byte(`{"a":1,"a":2,"b":{"c":[1e300]},"é\u0000":"\ud800"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := parseObject(data)
		if err != nil {
			return
		}
		var before, after map[string]any
		if json.Unmarshal(data, &before) != nil {
			return // too deep or too big a number
		}
		if err := json.Unmarshal([]byte(o.String()), &after); err != nil || !reflect.DeepEqual(before, after) {
			t.Errorf("%q became %q: %v", data, o.String(), err)
		}
	})
}

func FuzzRawJSON(f *testing.F) {
	f.Add([]byte(`{"a":"\\\"/\u00e6æ","":[" ,:"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var want any
		if json.Unmarshal(data, &want) != nil {
			return
		}
		spellings, err := RawJSON(data)
		if err != nil {
			return
		}
		for _, s := range spellings {
			var got any
			if err := json.Unmarshal(s.Bytes, &got); err != nil || !reflect.DeepEqual(got, want) && s.Name != "members in another order" {
				t.Errorf("%s of %q is %q: %v", s.Name, data, s.Bytes, err)
			}
		}
	})
}
