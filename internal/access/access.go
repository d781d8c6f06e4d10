// Package access decides who may do what: one function, Can, over one table of actions. What no line of the table allows is
// refused.
package access

import (
	"context"
	"slices"
)

// Role is what an account is trusted with. Each role includes those before it.
type Role string

// The roles.
const (
	Visitor   Role = "visitor" // not signed in
	Member    Role = "member"
	Moderator Role = "moderator"
	Admin     Role = "admin"
)

var rank = map[Role]int{Visitor: 0, Member: 1, Moderator: 2, Admin: 3}

// Includes tells whether r is trusted with at least what other is.
func (r Role) Includes(other Role) bool { return rank[r] >= rank[other] }

// Actor is who asks. The zero Actor is a visitor.
type Actor struct {
	ID          int64 // account id, 0 for a visitor
	Name        string
	Role        Role
	Contributor bool  // accepted the contributor terms
	Confirmed   bool  // the e-mail address is confirmed
	Session     int64 // session id; 0 for API credentials
	ReadOnly    bool  // an API key or a token without write scope
	Credential  int64 // API credential id; 0 for sessions
	Level       int64 // how fast the credential may ask; 0 is suspended
	Unthrottled bool  // a credential that counts against no limit
}

// SignedIn tells whether the actor has an account.
func (a Actor) SignedIn() bool { return a.ID != 0 }

// Is tells whether the actor has the role or a higher one.
func (a Actor) Is(r Role) bool { return a.role().Includes(r) }

func (a Actor) role() Role {
	if a.ID == 0 || a.Role == "" {
		return Visitor
	}
	return a.Role
}

// Object is what an action touches. The zero Object stands for actions that touch none.
type Object struct {
	Owner    int64 // account id of the owner, 0 for none
	Public   bool  // anybody may see it
	Free     bool  // a recording with a free offer
	Licensed bool  // the actor holds a license to it
}

// Action is a verb with a rule. Every route names one.
type Action string

// The actions. The comment names the rule; rules below is the truth.
const (
	Look            Action = "look"           // anybody: pages and files that are public by nature
	SeeRecording    Action = "see recording"  // public, or owner, or moderator
	HearPreview     Action = "hear preview"   // unmarked: free and public, owner, moderator, licensee
	HearMarked      Action = "hear marked"    // public, or owner, or moderator
	DownloadFile    Action = "download file"  // the original: licensee, owner, moderator; free: any member
	EditRecording   Action = "edit recording" // owner, confirmed; admin
	Upload          Action = "upload"         // contributors with a confirmed address
	UseAccount      Action = "use account"    // any member, on what is their own
	ChangeOwn       Action = "change own"     // owner of the object
	Buy             Action = "buy"            // confirmed members
	FillCart        Action = "fill cart"      // anybody
	Review          Action = "review"         // moderators, not on their own recordings
	Administer      Action = "administer"     // admins
	ReadAPI         Action = "read api"       // any credential
	WriteAPI        Action = "write api"      // a credential with write scope, confirmed contributor
	DownloadWithAPI Action = "download api"   // as DownloadFile, with a token
	React           Action = "react"          // confirmed members, to what is public
	SeeCollection   Action = "see collection" // shared with whoever asks, or owner
	SeeDevMail      Action = "see dev mail"   // anybody, in dev mode only (loopback)
)

type rule struct {
	role        Role
	contributor bool
	confirmed   bool
	write       bool // refused to read-only credentials
	object      func(Actor, Object) bool
}

func owner(a Actor, o Object) bool { return a.ID != 0 && a.ID == o.Owner }

var rules = map[Action]rule{
	Look: {role: Visitor},
	SeeRecording: {role: Visitor, object: func(a Actor, o Object) bool {
		return o.Public || o.Licensed || owner(a, o) || a.Is(Moderator)
	}},
	HearPreview: {role: Visitor, object: func(a Actor, o Object) bool {
		return o.Public && o.Free || o.Licensed || owner(a, o) || a.Is(Moderator)
	}},
	HearMarked: {role: Visitor, object: func(a Actor, o Object) bool {
		return o.Public || o.Licensed || owner(a, o) || a.Is(Moderator)
	}},
	DownloadFile:    {role: Member, object: mayDownload},
	DownloadWithAPI: {role: Member, object: mayDownload},
	EditRecording: {role: Member, write: true, object: func(a Actor, o Object) bool {
		return owner(a, o) || a.Is(Admin)
	}},
	Upload:     {role: Member, contributor: true, confirmed: true, write: true},
	UseAccount: {role: Member},
	ChangeOwn:  {role: Member, write: true, object: owner},
	Buy:        {role: Member, confirmed: true, write: true},
	FillCart:   {role: Visitor},
	Review: {role: Moderator, write: true, object: func(a Actor, o Object) bool {
		return !owner(a, o)
	}},
	Administer: {role: Admin, write: true},
	ReadAPI:    {role: Member},
	WriteAPI:   {role: Member, contributor: true, confirmed: true, write: true},
	React:      {role: Member, confirmed: true, write: true, object: func(_ Actor, o Object) bool { return o.Public }},
	SeeCollection: {role: Visitor, object: func(a Actor, o Object) bool {
		return o.Public || owner(a, o)
	}},
	SeeDevMail: {role: Visitor},
}

func mayDownload(a Actor, o Object) bool {
	return o.Licensed || owner(a, o) || a.Is(Moderator) || o.Public && o.Free
}

// Actions lists every action, sorted.
func Actions() []Action {
	var out []Action
	for a := range rules {
		out = append(out, a)
	}
	slices.Sort(out)
	return out
}

// Known tells whether the action has a rule.
func Known(act Action) bool { _, ok := rules[act]; return ok }

// OnObject tells whether the action's rule looks at an object, so that the route's handler must ask Can itself.
func OnObject(act Action) bool { return rules[act].object != nil }

// Might tells whether the actor could do the action on some object: the part of the rule that needs no object.
func Might(a Actor, act Action) bool {
	r, ok := rules[act]
	if !ok || !a.Is(r.role) {
		return false
	}
	if r.role == Visitor {
		return true
	}
	return (!r.contributor || a.Contributor) && (!r.confirmed || a.Confirmed) && (!r.write || !a.ReadOnly)
}

// Can decides. An action without a rule is refused.
func Can(a Actor, act Action, o Object) bool {
	if !Might(a, act) {
		return false
	}
	r := rules[act]
	return r.object == nil || r.object(a, o)
}

type actorKey struct{}

// WithActor puts the actor of a request into its context.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// From is the actor of the context; the visitor when there is none.
func From(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
