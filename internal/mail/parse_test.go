package mail

import (
	"net/mail"
	"strings"
	"testing"
)

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"a@b.test", "a@b.test\r\nBcc: c@d.test", "Name <a@b.test>", `"a b"@c.test`, "a@[127.0.0.1]", "ü@ü.test", "a@b.test, c@d.test", "(x)a@b.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseAddress(s)
		if err != nil {
			return
		}
		if got != s || strings.ContainsAny(s, "\r\n\t \x00<>,") && !strings.HasPrefix(s, `"`) {
			t.Fatalf("%q was taken as %q", s, got)
		}
		if list, err := mail.ParseAddressList(s); err != nil || len(list) != 1 {
			t.Fatalf("%q is %v, %v", s, list, err)
		}
	})
}

func FuzzOneLine(f *testing.F) {
	f.Add("subject\r\nBcc: x@y.test")
	f.Add("\xff\u2028\x00")
	f.Fuzz(func(t *testing.T, s string) {
		if got := oneLine(s); strings.ContainsAny(got, "\r\n\x00\u2028\u2029\v\f\u0085") {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

func FuzzParseServer(f *testing.F) {
	f.Add("smtp://user:pa%20ss@host:25")
	f.Add("smtps://host")
	f.Fuzz(func(t *testing.T, s string) {
		server, err := parseServer(s, "a@b.test")
		if (server == nil) == (err == nil) {
			t.Fatalf("%q: %v, %v", s, server, err)
		}
	})
}
