package apiv1

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"audiomicro/internal/access"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// page shows the document to people.
func (f *Face) page(w http.ResponseWriter, r *http.Request) error {
	doc := f.api.OpenAPI()
	p := ui.APIPage{Title: "API", Intro: recordings.HTML(doc.Info.Description), Document: ui.Link{Text: "openapi.json", URL: Prefix + "/openapi.json"}}
	for _, tag := range doc.Tags {
		g := ui.APIGroup{ID: strings.ToLower(strings.ReplaceAll(tag.Name, " ", "-")), Title: tag.Name, Text: recordings.HTML(tag.Description)}
		for _, o := range f.operations {
			if o.tag == tag.Name {
				g.Operations = append(g.Operations, f.shownOperation(o, operationOf(doc.Paths[o.path()], o.method())))
			}
		}
		p.Groups = append(p.Groups, g)
	}
	schemas := doc.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		p.Types = append(p.Types, ui.APIType{ID: "type-" + name, Name: name, Fields: fieldTable(name, schemas[name])})
	}
	return f.Site.Page(w, r, web.View{Title: p.Title, Description: "The JSON API of " + f.Site.Name + ".", Canonical: Prefix + "/"}, ui.API(p))
}

// operationOf is the entry of a method at a path.
func operationOf(item *huma.PathItem, method string) *huma.Operation {
	switch method {
	case http.MethodGet:
		return item.Get
	case http.MethodPut:
		return item.Put
	case http.MethodPost:
		return item.Post
	case http.MethodPatch:
		return item.Patch
	}
	return item.Delete
}

func (f *Face) shownOperation(o operation, op *huma.Operation) ui.APIOperation {
	out := ui.APIOperation{ID: o.id, Method: o.method(), Path: o.path(), Summary: op.Summary, Text: recordings.HTML(op.Description), Needs: needs(o)}
	sends := ui.Table{Caption: "What " + o.id + " takes", Head: []ui.Column{{Title: "Takes"}, {Title: "Kind"}, {Title: "Meaning"}}}
	for _, p := range op.Parameters {
		name := p.Name
		if p.Required {
			name += " *"
		}
		sends.Rows = append(sends.Rows, []ui.Cell{{Text: name, Sub: p.In, Mono: true}, kindOf(p.Schema), {Text: p.Description}})
	}
	switch {
	case o.takes != "":
		sends.Rows = append(sends.Rows, []ui.Cell{{Text: "body *", Sub: string(o.takes), Mono: true}, {Text: "bytes"}, {Text: op.RequestBody.Description}})
	case op.RequestBody != nil:
		sends.Rows = append(sends.Rows, []ui.Cell{{Text: "body *", Sub: "JSON", Mono: true}, kindOf(op.RequestBody.Content["application/json"].Schema), {}})
	}
	if len(sends.Rows) > 0 {
		out.Sends = &sends
	}
	answers := ui.Table{Caption: "What " + o.id + " answers", Head: []ui.Column{{Title: "Answers"}, {Title: "Kind"}, {Title: "Meaning"}}}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		res := op.Responses[status]
		kind := ui.Cell{}
		for _, m := range res.Content {
			if m.Schema != nil {
				kind = kindOf(m.Schema)
			} else {
				kind.Text = "bytes"
			}
		}
		answers.Rows = append(answers.Rows, []ui.Cell{{Text: status, Mono: true}, kind, {Text: res.Description}})
	}
	out.Answers = &answers
	return out
}

// needs says in words who may.
func needs(o operation) string {
	who := "For everybody."
	switch {
	case o.action == access.Administer:
		who = "For admins."
	case o.action == access.Review:
		who = "For moderators."
	case o.action == access.EditRecording:
		who = "For its contributor, and admins."
	case o.action == access.Buy, o.action == access.React:
		who = "For members with a confirmed e-mail address."
	case !access.Might(access.Actor{}, o.action):
		who = "For members."
	}
	switch {
	case o.own && o.writes():
		return who + " By a session, or an access token of one's own with the scope write."
	case o.own:
		return who + " By a session, or an access token of one's own."
	case o.writes():
		return who + " By a session, or an access token with the scope write."
	case o.private:
		return who + " By a session or an access token."
	}
	return who
}

// kindOf names the type of a schema, with the way to it.
func kindOf(s *huma.Schema) ui.Cell {
	if s == nil {
		return ui.Cell{}
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return ui.Cell{Text: name, URL: "#type-" + name}
	}
	c := ui.Cell{Text: s.Type}
	if s.Type == huma.TypeArray {
		c = kindOf(s.Items)
		c.Text = "list of " + c.Text
		return c
	}
	if s.Format != "" && s.Format != "int64" && s.Format != "double" {
		c.Text += ", " + s.Format
	}
	if s.Nullable {
		c.Text += " or null"
	}
	var limits []string
	if len(s.Enum) > 0 {
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprint(v))
		}
		limits = append(limits, strings.Join(values, ", "))
	}
	for _, l := range []struct {
		name string
		v    any
	}{{"at least", s.Minimum}, {"at most", s.Maximum}, {"length from", s.MinLength}, {"length to", s.MaxLength}, {"usually", s.Default}} {
		if v := reflect.ValueOf(l.v); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			continue
		} else {
			limits = append(limits, fmt.Sprint(l.name, " ", reflect.Indirect(v).Interface()))
		}
	}
	c.Sub = strings.Join(limits, "; ")
	return c
}

func fieldTable(name string, s *huma.Schema) ui.Table {
	t := ui.Table{Caption: "Fields of " + name, Head: []ui.Column{{Title: "Field"}, {Title: "Kind"}, {Title: "Meaning"}}}
	for _, field := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[field]
		cell := ui.Cell{Text: field, Mono: true}
		if !slices.Contains(s.Required, field) {
			cell.Sub = "may be left out"
		}
		t.Rows = append(t.Rows, []ui.Cell{cell, kindOf(p), {Text: p.Description}})
	}
	return t
}
