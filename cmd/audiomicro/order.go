package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"audiomicro/internal/app"
	"audiomicro/internal/db"
	"audiomicro/internal/orders"
	"audiomicro/internal/web"
)

// orderLine is an order as the commands print it. Amounts are in minor units, tax included.
type orderLine struct {
	ID       int64  `json:"id"`
	Number   string `json:"number"` // of the invoice; empty until paid
	State    string `json:"state"`
	Provider string `json:"provider"`
	Total    int64  `json:"total_minor"`
	Currency string `json:"currency"`
}

func orderOf(o orders.Order) orderLine {
	l := orderLine{ID: o.ID, State: string(o.State), Provider: o.Provider, Total: o.Total, Currency: o.Currency}
	if o.Number != nil {
		l.Number = *o.Number
	}
	return l
}

// orderPay marks orders of the manual provider paid: the money was seen. An order paid before stays as it is.
func orderPay(ctx context.Context, args []string) (err error) {
	p, err := parse(args, nil, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) == 0 {
		return usage("usage: audiomicro order pay ID… [--json]")
	}
	ids, err := parseIDs(p.names)
	if err != nil {
		return err
	}
	a, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	for _, id := range ids {
		if err := payOrder(ctx, a, id); err != nil {
			return err
		}
		o, err := a.Orders.Order(ctx, a.DB, id)
		if err != nil {
			return err
		}
		if p.own["json"] != "" {
			if err := json.NewEncoder(os.Stdout).Encode(orderOf(o)); err != nil {
				return err
			}
			continue
		}
		fmt.Printf("order %d is %s, invoice %s, %s\n", o.ID, o.State, o.Name(), o.Amount().Exact())
	}
	return nil
}

func payOrder(ctx context.Context, a *app.App, id int64) error {
	err := a.Orders.MarkPaid(ctx, id)
	var public *web.Public
	switch {
	case errors.Is(err, db.ErrNotFound):
		return fmt.Errorf("there is no order %d", id)
	case errors.As(err, &public):
		return errors.New(public.Text)
	}
	return err
}

// orderStates are the words that --state takes.
var orderStates = []string{string(orders.Draft), string(orders.Pending), string(orders.Authorized), string(orders.Paid), string(orders.Failed),
	string(orders.Canceled), string(orders.Expired), string(orders.PartRefunded), string(orders.Refunded)}

// orderList prints the newest orders.
func orderList(ctx context.Context, args []string) (err error) {
	p, err := parse(args, []string{"state"}, []string{"json"})
	if err != nil {
		return err
	}
	if len(p.names) != 0 {
		return usage("usage: audiomicro order list [--state STATE] [--json]")
	}
	if state := p.own["state"]; state != "" && !slices.Contains(orderStates, state) {
		return usage(fmt.Sprintf("--state %s is none of %s", state, strings.Join(orderStates, ", ")))
	}
	a, err := open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	all, err := a.Orders.List(ctx, orders.State(p.own["state"]), 1000)
	if err != nil {
		return err
	}
	lines := make([]orderLine, len(all))
	for i, o := range all {
		lines[i] = orderOf(o)
	}
	if p.own["json"] != "" {
		return json.NewEncoder(os.Stdout).Encode(lines)
	}
	for _, o := range all {
		fmt.Printf("%-8d %-13s %-10s %-8s %s\n", o.ID, o.State, o.Name(), o.Provider, o.Amount().Exact())
	}
	return nil
}
