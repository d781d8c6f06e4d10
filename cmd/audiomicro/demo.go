package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"audiomicro/cmd/audiomicro/demo"
	"audiomicro/internal/access"
	"audiomicro/internal/accounts"
	"audiomicro/internal/app"
	"audiomicro/internal/audio/synth"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/people"
	"audiomicro/internal/uploads"
)

// maker is the account that sells the sounds the program computes itself.
const maker = "Formulary"

// Of its sounds one is left for the moderator to decide on, and one for its contributor to describe.
const (
	reviewTitle = "Success chime"
	draftTitle  = "Pluck arpeggio, 100 BPM"
)

// demoSite fills a site with a catalog, a few accounts and purchases, while it serves. Started again it does only what is
// missing. Without other flags everything lies in ./demo.
func demoSite(ctx context.Context, args []string) error {
	p, err := parse(append([]string{"--dev"}, args...), []string{"packages"}, nil)
	if err != nil {
		return err
	}
	usual := config.Default()
	if p.config.Data == usual.Data {
		p.config.Data = "./demo" // never into the data of a real site
	}
	if p.config.LogLevel == usual.LogLevel {
		p.config.LogLevel = "error" // what is told here is for people, and waiting mail is at /dev/mail
	}
	log, err := logger(p.config.LogLevel)
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, p.config, app.Options{Version: version, Log: log, Migrate: true, Serve: true})
	if errors.Is(err, app.ErrServed) {
		return fmt.Errorf("%w: the demo runs already, at %s", err, p.config.URL)
	}
	if err != nil {
		return err
	}
	defer a.Close()
	l, err := net.Listen("tcp", p.config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w (is another server running? choose another address with --listen)", p.config.Listen, err)
	}
	s, err := a.Start(ctx, l)
	if err != nil {
		return err
	}
	d := &demoFill{app: a, log: log, out: os.Stderr, packages: p.own["packages"]}
	fmt.Fprintf(d.out, "%s is open at %s\n", a.Config.SiteName, a.Config.URL)
	filled, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- d.fill(filled) }()
	for {
		select {
		case err := <-done:
			if err != nil && ctx.Err() == nil {
				return errors.Join(fmt.Errorf("fill the demo: %w", err), s.Stop(context.WithoutCancel(ctx)))
			}
			done = nil
		case <-ctx.Done():
			fmt.Fprintln(d.out, "\nStopping. Start it again to go on: what is done is kept.")
			return s.Stop(context.WithoutCancel(ctx))
		case err := <-s.Failed():
			return err
		}
	}
}

// demoFill is one filling of a demo.
type demoFill struct {
	app      *app.App
	log      *slog.Logger
	out      io.Writer
	packages string // folder of unpacked packages; empty: none
	notes    demoNotes
	line     progress
}

func (d *demoFill) fill(ctx context.Context) error {
	var err error
	if d.notes, err = readNotes(d.app.Config.Data, d.app.Instance()); err != nil {
		return err
	}
	collections, err := d.collections()
	if err != nil {
		return err
	}
	for _, who := range [][3]string{{"demo-admin", "admin"}, {"demo-moderator", "moderator"}, {buyerName, "member"}} {
		if err := d.account(ctx, who[0], who[1], people.Profile{}); err != nil {
			return err
		}
	}
	for _, c := range collections {
		if err := d.account(ctx, c.Account, "contributor", people.Profile{Bio: c.About, Website: c.Website}); err != nil {
			return err
		}
	}
	if err := d.bring(ctx, collections); err != nil {
		return err
	}
	if !d.notes.did("shop") {
		fmt.Fprintln(d.out, "A buyer goes shopping through the site's own pages …")
		if err := d.shop(ctx); err != nil {
			return fmt.Errorf("shop: %w", err)
		}
		if err := d.notes.done("shop"); err != nil {
			return err
		}
	}
	d.tell(collections)
	return nil
}

// collections are the packages that are there and the sounds of the program itself.
func (d *demoFill) collections() ([]demo.Collection, error) {
	own, err := computed(filepath.Join(d.app.Config.Data, "computed"))
	if err != nil {
		return nil, err
	}
	list := []demo.Collection{own}
	for _, p := range demo.Packages() {
		if d.packages == "" {
			break
		}
		c, err := p.Read(d.packages)
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(d.out, "The package %s is not there: its sounds are left out.\n", p.Name)
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// computed renders the program's own sounds as FLAC files into dir.
func computed(dir string) (demo.Collection, error) {
	c := ownSounds(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return c, err
	}
	for _, sound := range synth.Catalog() {
		file := filepath.Join(dir, sound.Name+".flac")
		if _, err := os.Stat(file); err == nil {
			continue
		}
		if err := render(sound, file); err != nil {
			return c, fmt.Errorf("render %s: %w", sound.Name, err)
		}
	}
	return c, nil
}

// ownSounds describes the program's own sounds.
func ownSounds(dir string) demo.Collection {
	c := demo.Collection{Account: maker, Dir: dir,
		About: "Sounds that AudioMicro computes from formulas when the demo starts. They are sold under paid licenses, so that you can try buying: payments are a test here.",
		Packs: map[string]string{"Computed sounds": "Bells, drones, drums, weather and signals out of nothing but arithmetic."}}
	for _, sound := range synth.Catalog() {
		c.Sounds = append(c.Sounds, demo.Sound{File: sound.Name + ".flac", Title: sound.Title, Description: sound.Description, Tags: sound.Tags, Category: sound.Category,
			Pack: "Computed sounds", License: "standard+broadcast-1m"})
	}
	return c
}

func render(sound synth.Sound, file string) error {
	f, err := os.Create(file + ".part")
	if err != nil {
		return err
	}
	if err := errors.Join(synth.WriteFLAC(f, sound.Render(), synth.SampleRate), f.Close()); err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}

// account makes an account and keeps its password for the list, once.
func (d *demoFill) account(ctx context.Context, name, role string, profile people.Profile) error {
	_, err := d.app.Accounts.ByName(ctx, name)
	if err == nil || !errors.Is(err, db.ErrNotFound) {
		return err
	}
	made, err := d.app.Accounts.Create(ctx, accounts.NewAccount{Name: name, Email: strings.ToLower(name) + "@example.com", Born: "1980-05-17", Role: role})
	if err != nil {
		return err
	}
	if profile != (people.Profile{}) {
		if err := d.app.People.Save(ctx, made.ID, profile); err != nil {
			return err
		}
	}
	return d.notes.account(demoAccount{Name: made.Name, Email: made.Email, Password: made.Password, Role: role})
}

// rounds is in how many parts the collections come in, side by side, so that the site's newest sounds are a mix.
const rounds = 6

// bring imports the collections that are not in yet and tells how far the analysis is.
func (d *demoFill) bring(ctx context.Context, collections []demo.Collection) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.line = progress{out: d.out, terminal: isTerminal(os.Stderr), start: time.Now()}
	var todo []demo.Collection
	for _, c := range collections {
		if !d.notes.did(c.Account) {
			todo = append(todo, c)
			d.line.total += len(c.Sounds)
		}
	}
	if d.line.total > 0 {
		fmt.Fprintln(d.out, "It fills now; look around meanwhile.")
	}
	for round := range rounds {
		part := func(c demo.Collection) {
			n := len(c.Sounds)
			c.Sounds = mixed(c.Sounds)[n*round/rounds : n*(round+1)/rounds]
			if err := d.importPart(ctx, c); err != nil {
				cancel(fmt.Errorf("import %s: %w", c.Account, err))
			}
		}
		var wg sync.WaitGroup
		for _, c := range todo {
			if c.Account != maker {
				wg.Go(func() { part(c) })
			}
		}
		wg.Wait()
		for _, c := range todo {
			if c.Account == maker { // last, so that what is for sale stands among the newest on the home page
				part(c)
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	d.line.end()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	for _, c := range todo {
		if err := d.describePacks(ctx, c); err != nil {
			return err
		}
		if err := d.notes.done(c.Account); err != nil {
			return err
		}
	}
	return nil
}

// mixed puts sounds into an order that has nothing to do with their names and is the same every time.
func mixed(list []demo.Sound) []demo.Sound {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b demo.Sound) int {
		x, y := sha256.Sum256([]byte(a.File)), sha256.Sum256([]byte(b.File))
		return bytes.Compare(x[:], y[:])
	})
	return out
}

// importPart brings a part of a collection in. Two of the computed sounds are left over: one waits for review, one is a draft.
func (d *demoFill) importPart(ctx context.Context, c demo.Collection) error {
	if len(c.Sounds) == 0 {
		return nil
	}
	who, err := d.app.Accounts.ByName(ctx, c.Account)
	if err != nil {
		return err
	}
	rest := c
	rest.Sounds = nil
	c.Sounds = slices.DeleteFunc(slices.Clone(c.Sounds), func(s demo.Sound) bool {
		if s.Title == draftTitle {
			rest.Sounds = append(rest.Sounds, s)
		}
		return s.Title == draftTitle
	})
	im := uploads.Importer{Store: d.app.Uploads, Dir: c.Dir, Publish: true, Table: bytes.NewReader(c.CSV()),
		As: access.Actor{ID: who.ID, Name: who.Name, Role: who.Role, Contributor: true, Confirmed: true},
		Approve: func(ctx context.Context, id int64) error {
			rec, err := d.app.Recordings.ByID(ctx, d.app.DB, id)
			if err != nil || rec.Title == reviewTitle {
				return err
			}
			return d.app.Moderation.Approve(ctx, access.Actor{}, id)
		},
		Tell: func(one uploads.Imported) { d.line.step(one) },
	}
	if _, err := im.Run(ctx); err != nil || len(rest.Sounds) == 0 {
		return err
	}
	im.Table, im.Publish = bytes.NewReader(rest.CSV()), false
	_, err = im.Run(ctx)
	return err
}

func (d *demoFill) describePacks(ctx context.Context, c demo.Collection) error {
	who, err := d.app.Accounts.ByName(ctx, c.Account)
	if err != nil {
		return err
	}
	packs, err := d.app.Recordings.Packs(ctx, who.ID)
	if err != nil {
		return err
	}
	return d.app.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, p := range packs {
			if err := d.app.Recordings.DescribePack(ctx, tx, p.ID, c.Packs[p.Name]); err != nil {
				return err
			}
		}
		return nil
	})
}

// tell prints what is there and how to get in.
func (d *demoFill) tell(collections []demo.Collection) {
	total := map[string]int{}
	for _, c := range collections {
		for license, n := range c.Licenses() {
			total[license] += n
		}
		if len(c.LeftOut) > 0 {
			fmt.Fprintf(d.out, "%s: %d files are left out, for their license could not be read: %s\n", c.Account, len(c.LeftOut), strings.Join(c.LeftOut, ", "))
		}
		if len(c.Repeated) > 0 {
			fmt.Fprintf(d.out, "%s: %d files are the same bytes as another and stand there once.\n", c.Account, len(c.Repeated))
		}
	}
	fmt.Fprintf(d.out, "\nSounds by license: %s\n\n%s\n", counts(total), d.notes.text(d.app.Config.URL))
	fmt.Fprintf(d.out, "Ready at %s (stop with Ctrl-C; everything is kept in %s)\n", d.app.Config.URL, d.app.Config.Data)
}
