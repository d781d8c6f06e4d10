package orders

import (
	"context"
	"fmt"
	"io"

	"github.com/a-h/templ"
)

// together renders components one after the other.
func together(all ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, c := range all {
			if err := c.Render(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// padded is a card with a heading around something that brings no padding of its own: facts, a form.
func padded(title string, body templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if _, err := fmt.Fprintf(w, `<section class="card pad"><h2>%s</h2>`, templ.EscapeString(title)); err != nil {
			return err
		}
		if err := body.Render(ctx, w); err != nil {
			return err
		}
		_, err := io.WriteString(w, "</section>")
		return err
	})
}
