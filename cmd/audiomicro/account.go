package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"audiomicro/internal/accounts"
	"audiomicro/internal/db"
)

// accountCreate makes a confirmed account with a random password, an API credential and an access token.
func accountCreate(ctx context.Context, args []string) (err error) {
	p, err := parse(args, []string{"name", "email", "born", "role"}, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) > 0 || p.own["name"] == "" || p.own["email"] == "" || p.own["born"] == "" {
		return usage("usage: audiomicro account create --name NAME --email ADDR --born YYYY-MM-DD [--role member|contributor|moderator|admin] [--json]")
	}
	switch role := p.own["role"]; role {
	case "", "member", "contributor", "moderator", "admin":
	default:
		return usage(fmt.Sprintf("--role %s is none of member, contributor, moderator, admin", role))
	}
	a, err := openOrMake(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	made, err := a.Accounts.Create(ctx, accounts.NewAccount{
		Name: p.own["name"], Email: p.own["email"], Born: p.own["born"], Role: p.own["role"], Unthrottled: p.config.Dev,
	})
	if err != nil {
		return err
	}
	return show(os.Stdout, p, made, [][2]string{
		{"name", made.Name}, {"e-mail", made.Email}, {"password", made.Password}, {"API key", made.Key}, {"client id", made.ClientID}, {"access token", made.Bearer},
		{"", "These secrets are shown this once."},
	})
}

// accountShow prints what is known of an account, without secrets.
func accountShow(ctx context.Context, args []string) (err error) {
	p, err := parse(args, nil, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) != 1 {
		return usage("usage: audiomicro account show NAME [--json]")
	}
	a, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	s, err := a.Accounts.Show(ctx, p.names[0])
	if errors.Is(err, db.ErrNotFound) {
		return fmt.Errorf("no account is named %s", p.names[0])
	}
	if err != nil {
		return err
	}
	contributor := "no"
	if s.Contributor {
		contributor = "yes"
	}
	return show(os.Stdout, p, s, [][2]string{
		{"id", fmt.Sprint(s.ID)}, {"name", s.Name}, {"e-mail", s.Email}, {"role", s.Role}, {"state", s.State}, {"contributor", contributor},
		{"created", s.Created}, {"confirmed", s.Confirmed}, {"sign-ins", fmt.Sprint(s.Sessions)}, {"credentials", fmt.Sprint(s.Credentials)},
	})
}

// accountSuspend shuts an account out at once.
func accountSuspend(ctx context.Context, args []string) (err error) {
	p, err := parse(args, nil, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) != 1 {
		return usage("usage: audiomicro account suspend NAME [--json]")
	}
	a, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	who, err := a.Accounts.ByName(ctx, p.names[0])
	if errors.Is(err, db.ErrNotFound) {
		return fmt.Errorf("no account is named %s", p.names[0])
	}
	if err != nil {
		return err
	}
	if err := a.Accounts.Suspend(ctx, who.ID); err != nil {
		return err
	}
	s, err := a.Accounts.Show(ctx, who.Name)
	if err != nil {
		return err
	}
	return show(os.Stdout, p, s, [][2]string{{"name", s.Name}, {"state", s.State}})
}

// show prints v as JSON with --json, else the lines.
func show(w io.Writer, p parsed, v any, lines [][2]string) error {
	if p.own["json"] != "" {
		return json.NewEncoder(w).Encode(v)
	}
	for _, l := range lines {
		if l[0] == "" {
			fmt.Fprintln(w, l[1])
			continue
		}
		fmt.Fprintf(w, "%-13s %s\n", l[0], l[1])
	}
	return nil
}
