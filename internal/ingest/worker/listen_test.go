package worker

import (
	"errors"
	"strings"
	"testing"
)

func FuzzListen(f *testing.F) {
	f.Add(`{"progress":{"stage":"decode","seconds":1.5,"fraction":0.5}}` + "\n" + `{"result":{"frames":3,"duration":0.1}}` + "\n")
	f.Add(`{"failure":{"code":"damaged","text":"It is."}}`)
	f.Add("not json\n")
	f.Add(`{"result":{"analysis":{"descriptors":{"a":[1]}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		calls := 0
		last, err := listen(strings.NewReader(text), func(Progress) { calls++ })
		if err != nil && !errors.Is(err, errReport) {
			t.Errorf("error %v", err)
		}
		if calls > strings.Count(text, "\n")+1 {
			t.Errorf("%d calls from %q", calls, text)
		}
		if last.Result != nil {
			if err := last.Result.check(t.TempDir()); err == nil && last.Result.Frames <= 0 {
				t.Errorf("passed a result without sound: %q", text)
			}
		}
	})
}

func TestCheckRefusesWhatTheWorkerMustNotName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"", ".", "..", "../x", "/etc/passwd", ".hidden", "missing", "a/b"} {
		r := Result{Frames: 1, Previews: map[Output]File{HQ: {Name: name, Size: 10}}}
		r.Info.SampleRate, r.Info.Channels = 48000, 1
		if err := r.check(dir); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}
