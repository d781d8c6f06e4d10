package apiv2

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/search/query"
	"audiomicro/internal/web"
)

// params are the parameters of an address in their order.
type params []param

type param struct{ key, value string }

// parse reads the query of an address as Freesound's framework does: parted by & only (a semicolon is text), + is a blank, and
// what is no percent code stays as it is. A question mark at the end is none of the query: a client adds one to whatever
// address it follows.
func parse(raw string) params {
	var out params
	for pair := range strings.SplitSeq(strings.TrimRight(raw, "?"), "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		out = append(out, param{text(percent(strings.ReplaceAll(key, "+", " "))), text(percent(strings.ReplaceAll(value, "+", " ")))})
	}
	return out
}

func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// percent decodes percent codes and leaves everything else alone.
func percent(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// get is the last value of a key: the framework's rule.
func (p params) get(key string) (value string, given bool) {
	for _, one := range p {
		if one.key == key {
			value, given = one.value, true
		}
	}
	return value, given
}

// twice is the value of query or filter, which the application decodes once more than its framework: clients rely on it.
func (p params) twice(key string) (value string, given bool) {
	value, given = p.get(key)
	return text(percent(value)), given
}

// without is p less some keys.
func (p params) without(keys ...string) params {
	return slices.DeleteFunc(slices.Clone(p), func(one param) bool { return slices.Contains(keys, one.key) })
}

// with is p with one key set to a value, at the end.
func (p params) with(key, value string) params {
	return append(p.without(key), param{key, value})
}

func (p params) encode() string {
	parts := make([]string, len(p))
	for i, one := range p {
		parts[i] = url.QueryEscape(one.key) + "=" + url.QueryEscape(one.value)
	}
	return strings.Join(parts, "&")
}

// Sizes of pages.
const (
	defaultPageSize = 15
	maxPageSize     = query.MaxLimit
)

// window is a page of a list.
type window struct{ page, size int }

// windowOf reads page and page_size as the search does: what is no number is the default; a page before the first, or beyond
// what the index counts to, does not exist.
func windowOf(p params) (window, error) {
	number := func(key string, byDefault int) (int, error) {
		v, _ := p.get(key)
		v = strings.TrimRight(v, "?") // a client puts its own parameters behind another question mark
		n, err := strconv.Atoi(strings.TrimSpace(v))
		switch {
		case errors.Is(err, strconv.ErrRange) && !strings.Contains(v, "-"):
			return query.MaxOffset + 2, nil // larger than any: too far for a page, cut for a size
		case errors.Is(err, strconv.ErrRange):
			return 0, web.NotFound()
		case err != nil:
			return byDefault, nil
		case n < 1:
			return 0, web.NotFound()
		}
		return n, nil
	}
	w := window{}
	var err error
	if w.page, err = number("page", 1); err != nil {
		return w, err
	}
	if w.size, err = number("page_size", defaultPageSize); err != nil {
		return w, err
	}
	w.size = min(w.size, maxPageSize)
	if w.page > query.MaxOffset+1 || w.offset() > query.MaxOffset {
		return w, web.NotFound()
	}
	return w, nil
}

func (w window) offset() int { return (w.page - 1) * w.size }

// invalidPage is what lists other than searches say of a page that is not there.
const invalidPage = "Invalid page."

// pageOf reads page and page_size of a list of total results, as lists other than searches do.
func pageOf(p params, total int) (window, error) {
	w := window{page: 1, size: defaultPageSize}
	if v, _ := p.get("page_size"); v != "" {
		if n, err := strconv.Atoi(strings.TrimSpace(v)); n > 0 && (err == nil || errors.Is(err, strconv.ErrRange)) {
			w.size = min(n, maxPageSize)
		}
	}
	last := max((total+w.size-1)/w.size, 1)
	if v, given := p.get("page"); given {
		n, err := strconv.Atoi(strings.TrimRight(strings.TrimSpace(v), "?"))
		if v == "last" {
			n, err = last, nil
		}
		if err != nil || n < 1 || n > last {
			return w, web.Refuse(http.StatusNotFound, invalidPage)
		}
		w.page = n
	}
	return w, nil
}

// list makes the envelope of a page of total results. Its addresses keep every parameter but the token.
func (f *Face) list(path string, p params, w window, total int, results []object) object {
	link := func(page int) any {
		return f.at("%s?%s", path, p.without("token").with("page", strconv.Itoa(page)).encode())
	}
	var next, previous any
	if end := w.offset() + w.size; end < total && end <= query.MaxOffset {
		next = link(w.page + 1)
	}
	if w.page > 1 && total > 0 {
		previous = link(w.page - 1)
	}
	return object{{"count", total}, {"next", next}, {"previous", previous}, {"results", results}}
}
