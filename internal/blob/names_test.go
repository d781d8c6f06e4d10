package blob

import (
	"strings"
	"testing"
	"time"
)

func FuzzNames(f *testing.F) {
	ref := strings.Repeat("0a", 32)
	f.Add(ref)
	f.Add("1700000000000000-" + ref)
	f.Add("../" + ref)
	f.Add("-1-" + ref)
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := ParseRef(s); err == nil {
			if p := r.path(); strings.Contains(p, "..") || strings.Count(p, "/") != 3 || !strings.HasSuffix(p, "/"+s) {
				t.Fatalf("%q has the path %q", s, p)
			}
		}
		if at, r, ok := parseTrash(s); ok {
			at2, r2, ok2 := parseTrash(trashName(at, r))
			if !ok2 || !at2.Equal(at) || r2 != r {
				t.Fatalf("%q is %v %s, and back %v %s", s, at, r, at2, r2)
			}
		}
		if checkStage(s) == nil && strings.ContainsAny(s, "/.\\\x00") {
			t.Fatalf("stage id %q", s)
		}
	})
}

func TestTrashName(t *testing.T) {
	t.Parallel()
	ref := hashOf([]byte("x"))
	at := time.UnixMicro(1_700_000_000_123_456)
	got, back, ok := parseTrash(trashName(at, ref))
	if !ok || !got.Equal(at) || back != ref {
		t.Fatalf("%v %s %v", got, back, ok)
	}
}
