package apiv2

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// member is one key of an object with its value: a string, bool, int, int64, decimal, json.Number, nil, []string, []any of these, object,
// []object or faults.
type member struct {
	key   string
	value any
}

// object is a JSON object whose keys keep their order.
type object []member

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, v := range []any{m.key, m.value} {
			if j == 1 {
				b.WriteByte(':')
			}
			if err := encode(&b, v); err != nil {
				return nil, err
			}
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode writes v as JSON without escaping & < >, which addresses are full of: the type of the answer is never HTML.
func encode(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the line's end
	return nil
}

// decimal is a number that is written with a decimal point even when it is whole: clients tell floats from integers by it.
type decimal float64

func (d decimal) String() string {
	v := float64(d)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0.0"
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// MarshalJSON writes the number.
func (d decimal) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

// faults are what is wrong with the fields of a form: field to sentences. As an error it is answered with 400.
type faults map[string][]string

func (f faults) Error() string {
	var out []string
	for _, field := range slices.Sorted(maps.Keys(f)) {
		out = append(out, field+": "+strings.Join(f[field], " "))
	}
	return strings.Join(out, "; ")
}

func (f faults) add(field, text string) { f[field] = append(f[field], text) }

// orNil is f as an error, nil when nothing is wrong.
func (f faults) orNil() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// format is "json", "xml", "yaml", "jsonp" or "api" (a page for people), from ?format= or the Accept header; ok is false for a
// format that there is not.
func format(r *http.Request) (name string, ok bool) {
	if name, given := parse(r.URL.RawQuery).get("format"); given && name != "" {
		return name, slices.Contains([]string{"json", "xml", "yaml", "jsonp", "api"}, name)
	}
	accept := r.Header.Get("Accept")
	if strings.Contains(accept, "application/json") || strings.Contains(accept, "text/html") {
		return "json", true
	}
	switch {
	case strings.Contains(accept, "application/xml"), strings.Contains(accept, "text/xml"):
		return "xml", true
	case strings.Contains(accept, "application/yaml"):
		return "yaml", true
	}
	return "json", true
}

// answer writes v in the format that was asked for.
func answer(w http.ResponseWriter, r *http.Request, status int, v any) error {
	var b bytes.Buffer
	var err error
	kind := "application/json"
	switch name, _ := format(r); name {
	case "xml":
		kind = "application/xml; charset=utf-8"
		b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n<root>")
		err = writeXML(&b, v)
		b.WriteString("</root>")
	case "yaml":
		kind = "application/yaml; charset=utf-8"
		err = writeYAML(&b, v, "")
	case "jsonp":
		kind = "application/javascript; charset=utf-8"
		b.WriteString(callback(r) + "(")
		err = encode(&b, v)
		b.WriteString(");")
	case "api":
		kind = "text/html; charset=utf-8"
		err = writePage(&b, r, status, v)
	default:
		err = encode(&b, v)
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Add("Vary", "Accept, Authorization, Cookie")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, no-cache")
	}
	w.WriteHeader(status)
	_, err = w.Write(b.Bytes())
	return err
}

var callbackName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$.]{0,127}$`)

// callback is the function that a page of JSONP calls. What is no name of one is the usual name: the answer is a script.
func callback(r *http.Request) string {
	name, _ := parse(r.URL.RawQuery).get("callback")
	if !callbackName.MatchString(name) {
		return "callback"
	}
	return name
}

// writePage writes an answer for people who look at the API in a browser.
func writePage(b *bytes.Buffer, r *http.Request, status int, v any) error {
	var text bytes.Buffer
	if err := encode(&text, v); err != nil {
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text.Bytes(), "", "    "); err != nil {
		return err
	}
	fmt.Fprintf(b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%[1]s</title></head>\n<body><h1>%[2]s %[1]s</h1><p>%[3]d</p><pre>%[4]s</pre></body></html>\n",
		html.EscapeString(r.URL.Path), html.EscapeString(r.Method), status, html.EscapeString(pretty.String()))
	return nil
}

// writeYAML writes v as YAML in blocks. Texts are written as JSON has them, which YAML takes.
func writeYAML(b *bytes.Buffer, v any, indent string) error {
	var keys []string
	var values []any
	list := false
	switch v := v.(type) {
	case object:
		for _, m := range v {
			keys, values = append(keys, m.key), append(values, m.value)
		}
	case faults:
		for _, field := range slices.Sorted(maps.Keys(v)) {
			keys, values = append(keys, field), append(values, v[field])
		}
	default:
		if values, list = items(v); !list {
			return encode(b, v)
		}
	}
	if len(values) == 0 {
		b.WriteString(map[bool]string{true: "[]", false: "{}"}[list])
		return nil
	}
	for i, one := range values {
		if b.Len() > 0 && (i > 0 || indent == "" || b.Bytes()[b.Len()-1] != ' ') {
			b.WriteString("\n" + indent)
		}
		under := indent + "  "
		if list {
			b.WriteString("- ")
		} else {
			if err := encode(b, keys[i]); err != nil {
				return err
			}
			b.WriteString(": ")
			if full, _ := nested(one); full {
				b.Truncate(b.Len() - 1)
			}
		}
		if err := writeYAML(b, one, under); err != nil {
			return err
		}
	}
	if indent == "" {
		b.WriteByte('\n')
	}
	return nil
}

// nested tells whether v is a list or an object that holds something, which YAML writes on lines of its own.
func nested(v any) (full, list bool) {
	switch v := v.(type) {
	case object:
		return len(v) > 0, false
	case faults:
		return len(v) > 0, false
	}
	values, list := items(v)
	return len(values) > 0, list
}

// items are the members of a list.
func items(v any) (out []any, list bool) {
	switch v := v.(type) {
	case []object:
		for _, o := range v {
			out = append(out, o)
		}
	case []string:
		for _, s := range v {
			out = append(out, s)
		}
	case []any:
		out = v
	default:
		return nil, false
	}
	return out, true
}

// writeXML writes v as Freesound's XML has it: an element per key, list-item for members of lists, True and False, nothing for
// null.
func writeXML(b *bytes.Buffer, v any) error {
	text := ""
	switch v := v.(type) {
	case nil:
	case object:
		for _, m := range v {
			if err := element(b, m.key, m.value); err != nil {
				return err
			}
		}
	case []object, []string, []any:
		list, _ := items(v)
		for _, one := range list {
			if err := element(b, "list-item", one); err != nil {
				return err
			}
		}
	case faults:
		for _, field := range slices.Sorted(maps.Keys(v)) {
			if err := element(b, field, v[field]); err != nil {
				return err
			}
		}
	case bool:
		if text = "False"; v {
			text = "True"
		}
	case string:
		text = v
	case decimal:
		text = v.String()
	case json.Number:
		text = v.String()
	case int:
		text = strconv.Itoa(v)
	case int64:
		text = strconv.FormatInt(v, 10)
	}
	return xml.EscapeText(b, []byte(text))
}

func element(b *bytes.Buffer, name string, v any) error {
	name = elementName(name)
	b.WriteString("<" + name + ">")
	if err := writeXML(b, v); err != nil {
		return err
	}
	b.WriteString("</" + name + ">")
	return nil
}

// elementName drops what an XML name cannot have; only the list of resources has such keys.
func elementName(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r == ' ':
			return '_'
		}
		return -1
	}, key)
}
