package access_test

import (
	"testing"

	"audiomicro/internal/access"
)

// TestCan is the table of who may do what, written out by hand: a change of a rule must change it here too.
func TestCan(t *testing.T) {
	const me, other = 7, 8
	actors := map[string]access.Actor{
		"visitor":     {},
		"unconfirmed": {ID: me, Role: access.Member, Contributor: true},
		"member":      {ID: me, Role: access.Member, Confirmed: true},
		"contributor": {ID: me, Role: access.Member, Confirmed: true, Contributor: true},
		"read-only":   {ID: me, Role: access.Member, Confirmed: true, Contributor: true, ReadOnly: true},
		"moderator":   {ID: me, Role: access.Moderator, Confirmed: true},
		"admin":       {ID: me, Role: access.Admin, Confirmed: true},
	}
	objects := map[string]access.Object{
		"own draft":          {Owner: me},
		"foreign draft":      {Owner: other},
		"foreign public":     {Owner: other, Public: true, Free: true},
		"foreign paid":       {Owner: other, Public: true},
		"licensed":           {Owner: other, Public: true, Licensed: true},
		"licensed withdrawn": {Owner: other, Licensed: true},
	}
	staff := []string{"moderator", "admin"}
	members := append([]string{"unconfirmed", "member", "contributor", "read-only"}, staff...)
	everybody := append([]string{"visitor"}, members...)
	want := map[access.Action]map[string][]string{
		access.SeeRecording: {"own draft": members, "foreign draft": staff, "foreign public": everybody, "foreign paid": everybody, "licensed": everybody, "licensed withdrawn": everybody},
		access.HearPreview:  {"own draft": members, "foreign draft": staff, "foreign public": everybody, "foreign paid": staff, "licensed": everybody, "licensed withdrawn": everybody},
		access.HearMarked:   {"own draft": members, "foreign draft": staff, "foreign public": everybody, "foreign paid": everybody, "licensed": everybody, "licensed withdrawn": everybody},
		access.DownloadFile: {"own draft": members, "foreign draft": staff, "foreign public": members, "foreign paid": staff, "licensed": members, "licensed withdrawn": members},
		access.EditRecording: {"own draft": {"unconfirmed", "member", "contributor", "moderator", "admin"}, "foreign draft": {"admin"}, "foreign public": {"admin"}, "foreign paid": {"admin"},
			"licensed": {"admin"}, "licensed withdrawn": {"admin"}},
		access.Review: {"foreign draft": staff, "foreign public": staff, "foreign paid": staff, "licensed": staff, "licensed withdrawn": staff},
	}
	for action, byObject := range want {
		for object, o := range objects {
			allowed := map[string]bool{}
			for _, name := range byObject[object] {
				allowed[name] = true
			}
			for name, a := range actors {
				if got := access.Can(a, action, o); got != allowed[name] {
					t.Errorf("%s may %q on %s: %v, want %v", name, action, object, got, allowed[name])
				}
			}
		}
	}
	for action, names := range map[access.Action][]string{
		access.Upload: {"contributor"}, access.WriteAPI: {"contributor"}, access.Administer: {"admin"},
		access.Buy: {"member", "contributor", "moderator", "admin"}, access.UseAccount: members, access.Look: everybody, access.FillCart: everybody,
	} {
		allowed := map[string]bool{}
		for _, name := range names {
			allowed[name] = true
		}
		for name, a := range actors {
			if got := access.Might(a, action); got != allowed[name] {
				t.Errorf("%s may %q: %v, want %v", name, action, got, allowed[name])
			}
		}
	}
	if access.Can(actors["admin"], "read minds", access.Object{}) {
		t.Error("an action without a rule is allowed")
	}
}
