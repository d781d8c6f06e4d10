package ui

import (
	"context"
	"html"
	"io"

	"github.com/a-h/templ"
)

// Stack renders components one after the other.
func Stack(list ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, c := range list {
			if err := c.Render(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// Box is a titled card with room around its body; CardPart is for lists that reach the edges.
func Box(title string, body ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, `<section class="card pad"><h2>`+html.EscapeString(title)+`</h2>`); err != nil {
			return err
		}
		if err := Stack(body...).Render(ctx, w); err != nil {
			return err
		}
		_, err := io.WriteString(w, `</section>`)
		return err
	})
}
