package app

import (
	"context"
	"fmt"
	"io"
)

// Welcome writes what whoever started the server wants to know: where the site is, and on a new instance the link with
// which the first administrator is made.
func (a *App) Welcome(ctx context.Context, w io.Writer) {
	fmt.Fprintf(w, "%s is open at %s\n", a.Config.SiteName, a.Config.URL)
	if link, err := a.Accounts.SetupLink(ctx); err != nil {
		a.Log.Error("make the setup link", "err", err)
	} else if link != "" {
		fmt.Fprintf(w, "There is no administrator yet. This link makes one, once: %s\n", link)
	}
	switch {
	case a.Mail.CanSend():
	case a.Config.Dev:
		fmt.Fprintf(w, "Mail is not sent but shown at %s/dev/mail\n", a.Config.URL)
	default:
		fmt.Fprintln(w, "Warning: no SMTP server is set (--smtp): mail waits, and nobody can confirm an address.")
	}
}
