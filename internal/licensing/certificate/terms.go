package certificate

import (
	"fmt"
	"strconv"
)

// Unlimited stands for "as many as you like" in the limits of Terms.
const Unlimited = -1

// What a license says about a question it may also leave open.
const (
	Unstated  = ""          // the license does not speak of it
	Allowed   = "allowed"   // included
	Forbidden = "forbidden" // excluded
)

// Terms are what a license allows, as fields that people can compare and programs can check. Limits count people, copies,
// projects or seats: Unlimited (-1), or the largest number allowed, 0 for none. The legal text decides where it says more.
type Terms struct {
	TermMonths  int64  `json:"term_months"` // how long new work may use the sound; 0 = perpetual
	Projects    int64  `json:"projects"`
	Seats       int64  `json:"seats"`    // people who may work with the file
	Audience    int64  `json:"audience"` // people reached by broadcast; applies where Broadcast is true
	Copies      int64  `json:"copies"`   // sold or given copies of the finished work
	AdReach     int64  `json:"ad_reach"` // people reached by paid advertising
	Commercial  bool   `json:"commercial"`
	Broadcast   bool   `json:"broadcast"`       // television, radio, streaming services
	Theatrical  bool   `json:"theatrical"`      // cinema and festival screening for money
	ClientWork  bool   `json:"client_work"`     // the finished work may be handed to a client, license included
	Standalone  bool   `json:"standalone"`      // the sound itself may be passed on or sold
	Attribution bool   `json:"attribution"`     // the creator must be credited
	ShareAlike  bool   `json:"share_alike"`     // works made from it carry the same license
	Contract    bool   `json:"contract"`        // valid together with a signed contract
	Performance string `json:"performance"`     // public-performance royalties (PRO): Allowed = included, Forbidden = paid separately
	AITraining  string `json:"ai_training"`     // training of generative models
	Indemnity   int64  `json:"indemnity_minor"` // most the seller answers for, minor units of the instance's currency; 0 = none
	Territory   string `json:"territory"`
}

// Validate tells what is wrong with terms that an operator typed, or nil.
func (t Terms) Validate() error {
	for _, f := range []struct {
		name string
		n    int64
		min  int64
	}{
		{"term in months", t.TermMonths, 0}, {"projects", t.Projects, Unlimited}, {"seats", t.Seats, Unlimited},
		{"audience", t.Audience, Unlimited}, {"copies", t.Copies, Unlimited}, {"ad reach", t.AdReach, Unlimited},
		{"indemnity", t.Indemnity, 0},
	} {
		if f.n < f.min || f.n > maxInteger {
			return fmt.Errorf("%s: %d is not a number from %d to %d", f.name, f.n, f.min, int64(maxInteger))
		}
	}
	for name, v := range map[string]string{"performance": t.Performance, "AI training": t.AITraining} {
		if v != Unstated && v != Allowed && v != Forbidden {
			return fmt.Errorf("%s: %q is not allowed, forbidden or empty", name, v)
		}
	}
	return nil
}

// Duration says for how long the license lasts: "Perpetual", "1 year", "5 months".
func (t Terms) Duration() string {
	switch {
	case t.TermMonths == 0:
		return "Perpetual"
	case t.TermMonths%12 == 0:
		return count(t.TermMonths/12, "year", "years")
	}
	return count(t.TermMonths, "month", "months")
}

// Covered lists what the license allows, in sentences short enough for a certificate.
func (t Terms) Covered() []string {
	var out []string
	add := func(when bool, text string) {
		if when {
			out = append(out, text)
		}
	}
	switch {
	case t.Commercial && t.ClientWork:
		out = append(out, "Web, social, commercial and client work")
	case t.Commercial:
		out = append(out, "Web, social and commercial work")
	default:
		out = append(out, "Work that earns nothing")
	}
	add(t.Projects != 0, limit(t.Projects, "project", "projects", "Any number of projects", "In "))
	add(t.AdReach != 0, limit(t.AdReach, "person", "people", "Paid ads without limit", "Paid ads, up to "))
	add(t.Copies != 0, limit(t.Copies, "copy", "copies", "Copies without limit", "Up to "))
	if t.Broadcast {
		out = append(out, limit(t.Audience, "person", "people", "Broadcast to any audience", "Broadcast, up to "))
	}
	add(t.Theatrical, "Cinema and film festivals")
	add(t.Performance == Allowed, "Public performance")
	out = append(out, "Edits, loops, mixes")
	add(t.Standalone, "Passing the sound on")
	add(t.AITraining == Allowed, "Training of AI models")
	return out
}

// NotCovered lists what the license does not allow, in the same manner.
func (t Terms) NotCovered() []string {
	var out []string
	add := func(when bool, text string) {
		if when {
			out = append(out, text)
		}
	}
	add(!t.Standalone, "Passing on or reselling the sound alone")
	add(!t.Commercial, "Anything that earns money")
	switch {
	case !t.Broadcast && !t.Theatrical:
		out = append(out, "Broadcast, cinema")
	case !t.Broadcast:
		out = append(out, "Broadcast")
	case !t.Theatrical:
		out = append(out, "Cinema")
	}
	add(t.AdReach == 0, "Paid advertising")
	add(t.Commercial && !t.ClientWork, "Handing the license to a client")
	add(t.Performance == Forbidden, "Performance royalties: report them to your society")
	add(t.AITraining == Forbidden, "Training of AI models")
	add(!t.Standalone, "Registering it with a claim system")
	add(t.Standalone, "Rights of other people heard in it")
	return out
}

// Conditions lists what the licensee must do.
func (t Terms) Conditions() []string {
	var out []string
	if t.Attribution {
		out = append(out, "Credit the creator")
	}
	if t.ShareAlike {
		out = append(out, "Share what you make from it under the same license")
	}
	if t.Contract {
		out = append(out, "Valid together with the signed contract")
	}
	return out
}

func limit(n int64, one, many, unlimited, before string) string {
	if n == Unlimited {
		return unlimited
	}
	return before + count(n, one, many)
}

// count writes a number with its noun: "1 project", "10,000 copies".
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s + " " + many
}
