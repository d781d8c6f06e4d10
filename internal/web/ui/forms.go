package ui

import (
	"strconv"

	"github.com/a-h/templ"
)

// optionGroup is a run of options with the same group title.
type optionGroup struct {
	Title   string
	Options []Option
}

func optionGroups(list []Option) []optionGroup {
	var out []optionGroup
	for _, o := range list {
		if n := len(out); n > 0 && out[n-1].Title == o.Group {
			out[n-1].Options = append(out[n-1].Options, o)
			continue
		}
		out = append(out, optionGroup{o.Group, []Option{o}})
	}
	return out
}

// describedBy links a control to its error and hint.
func describedBy(f Field) templ.Attributes {
	a := templ.Attributes{}
	ids := ""
	if f.Error != "" {
		ids = "e-" + f.Name
		a["aria-invalid"] = "true"
	}
	if f.Hint != "" {
		if ids != "" {
			ids += " "
		}
		ids += "h-" + f.Name
	}
	if ids != "" {
		a["aria-describedby"] = ids
	}
	return a
}

// controlAttributes are the attributes an input, select or textarea share.
func controlAttributes(f Field) templ.Attributes {
	a := describedBy(f)
	set := func(name, value string) {
		if value != "" {
			a[name] = value
		}
	}
	if f.Type != "select" && f.Type != "textarea" && f.Type != "file" && f.Type != "password" {
		a["value"] = f.Value
	}
	set("placeholder", f.Placeholder)
	set("autocomplete", f.Autocomplete)
	set("inputmode", f.InputMode)
	set("min", f.Min)
	set("max", f.Max)
	set("step", f.Step)
	set("accept", f.Accept)
	set("list", f.List)
	if f.MaxLength > 0 {
		a["maxlength"] = strconv.Itoa(f.MaxLength)
	}
	if f.Type != "select" && !f.Optional && f.Type != "file" && f.Type != "search" && !f.ReadOnly {
		a["required"] = true
	}
	a["autofocus"], a["readonly"], a["multiple"] = f.Autofocus, f.ReadOnly, f.Multiple
	return a
}

// withErrors puts each error beside its field.
func withErrors(fields []Field, errors []FormError) []Field {
	out := make([]Field, len(fields))
	for i, f := range fields {
		if f.Error == "" {
			f.Error = errorOf(f.Name, errors)
		}
		out[i] = f
	}
	return out
}

// allErrors lists the form's errors and those that only a field carries.
func allErrors(fields []Field, errors []FormError) []FormError {
	out := append([]FormError(nil), errors...)
	for _, f := range fields {
		if f.Error != "" && errorOf(f.Name, errors) == "" {
			out = append(out, FormError{f.Name, f.Error})
		}
	}
	return out
}

func errorOf(field string, errors []FormError) string {
	for _, e := range errors {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

func errorLead(n int) string {
	if n == 1 {
		return "One thing to fix."
	}
	return Count(n) + " things to fix."
}

func signUpFields(p SignUpPage) []Field {
	least := p.MinPassword
	if least == 0 {
		least = 10
	}
	return []Field{
		{Name: "name", Label: "Name", Value: p.Name, Hint: "Public, and part of your page's address.", Autocomplete: "username", MaxLength: 40},
		{Name: "email", Label: "E-mail", Type: "email", Value: p.Email, Hint: "Never shown to others.", Autocomplete: "email", MaxLength: 254},
		{Name: "password", Label: "Password", Type: "password", Hint: "At least " + strconv.Itoa(least) + " characters.", Autocomplete: "new-password", MaxLength: 1000},
	}
}

func signInFields(p SignInPage) []Field {
	return []Field{
		{Name: "email", Label: "E-mail", Type: "email", Value: p.Email, Autocomplete: "username", MaxLength: 254},
		{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password", MaxLength: 1000},
	}
}
