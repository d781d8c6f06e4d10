package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"audiomicro/internal/accounts"
	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/blob"
	"audiomicro/internal/collections"
	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/ingest"
	"audiomicro/internal/jobs"
	"audiomicro/internal/ledger"
	"audiomicro/internal/licensing"
	"audiomicro/internal/listening"
	"audiomicro/internal/mail"
	"audiomicro/internal/moderation"
	"audiomicro/internal/orders"
	"audiomicro/internal/payments"
	"audiomicro/internal/people"
	"audiomicro/internal/reactions"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search"
	"audiomicro/internal/uploads"
	"audiomicro/internal/web"
)

// App is one process of AudioMicro on one database and one blob store.
type App struct {
	Config  config.Config
	Version string
	Log     *slog.Logger
	Now     func() time.Time

	DB    *db.DB
	Blobs blob.Store
	Feed  *feed.Feed
	Jobs  *jobs.Queue
	Mail  *mail.Mailer
	Site  *web.Site

	Accounts   *accounts.Store
	People     *people.Store
	Recordings *recordings.Store
	Uploads    *uploads.Store
	Ingest     *ingest.Store
	Listening  *listening.Store
	Moderation *moderation.Store
	Licensing  *licensing.Store
	Ledger     *ledger.Store
	Payments   *payments.Store
	Orders     *orders.Store
	Reactions  *reactions.Store

	Collections *collections.Store

	Search *search.Store

	accountPages   *accounts.Pages
	recordingPages *recordings.Pages

	instance  string
	readiness readiness
	unlock    func()
}

// Options are what is not a setting.
type Options struct {
	Version string
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
	// Migrate brings the schema up first; without it an old schema is refused and only an empty database is filled.
	Migrate bool
	// Serve says that this process works jobs: on SQLite it takes the data folder's lock.
	Serve bool
}

// ErrServed means that another process works the jobs of the same SQLite folder.
var ErrServed = errors.New("another audiomicro serves this data folder")

// Open opens what the settings name and wires the domains. Close it when done.
func Open(ctx context.Context, c config.Config, opt Options) (_ *App, err error) {
	a := &App{Config: c, Version: opt.Version, Log: opt.Log, Now: opt.Now, unlock: func() {}}
	if a.Now == nil {
		a.Now = time.Now
	}
	if a.Log == nil {
		a.Log = slog.Default()
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if opt.Serve && c.Database == "" {
		if a.unlock, err = lockFolder(c.Data); err != nil {
			return nil, err
		}
	}
	if a.DB, err = db.Open(ctx, db.Options{URL: c.Database, File: c.SQLiteFile()}); err != nil {
		return nil, err
	}
	a.DB.Watch(a.tellSlow)
	if err := a.schema(ctx, opt.Migrate); err != nil {
		return nil, err
	}
	if opt.Serve {
		if err := a.DB.Analyze(ctx); err != nil {
			return nil, err
		}
	}
	if a.instance, err = fact(ctx, a.DB, a.Now(), "id", 16); err != nil {
		return nil, err
	}
	if a.Blobs, err = openBlobs(ctx, c, a.Now); err != nil {
		return nil, err
	}
	if err := checkMarker(ctx, a.DB, a.Blobs, a.instance, a.Now()); err != nil {
		return nil, err
	}
	if err := a.wire(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

// slowStatement is from when on a reading statement is told in the log: no page may take so long at a million recordings.
const slowStatement = time.Second

// tellSlow logs a statement that took long, without its values.
func (a *App) tellSlow(statement string, took time.Duration) {
	if took >= slowStatement {
		a.Log.Warn("slow statement", "ms", took.Milliseconds(), "statement", strings.Join(strings.Fields(statement), " "))
	}
}

func (a *App) schema(ctx context.Context, migrate bool) error {
	if migrate {
		return Migrate(ctx, a.DB)
	}
	empty, err := a.DB.Migrated(ctx, Schemas())
	if errors.Is(err, db.ErrOldSchema) && empty {
		return Migrate(ctx, a.DB)
	}
	return err
}

// openBlobs opens the folder or bucket that holds the bytes.
func openBlobs(ctx context.Context, c config.Config, now func() time.Time) (blob.Store, error) {
	if c.Blobs != "" {
		return blob.OpenS3(ctx, c.Blobs, now)
	}
	dir := filepath.Join(c.Data, "blobs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the blob folder: %w", err)
	}
	return blob.OpenLocal(dir, now)
}

// Close releases what Open took.
func (a *App) Close() error {
	var err error
	if a.DB != nil {
		err = a.DB.Close()
	}
	if c, ok := a.Blobs.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	if a.unlock != nil { // nil when another server holds the folder
		a.unlock()
	}
	return err
}

// tool finds a native program: auto searches the PATH, off finds none, anything else is its path.
func tool(setting, name string) string {
	switch setting {
	case "off":
		return ""
	case "auto", "":
		path, err := exec.LookPath(name)
		if err != nil {
			return ""
		}
		return path
	}
	return setting
}

func (a *App) node() string {
	if a.Config.Node != "" {
		return a.Config.Node
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "node"
	}
	// The address it listens on tells two processes of one host apart, and is the same after a restart.
	return host + "-" + strings.NewReplacer(":", "-", "[", "", "]", "").Replace(a.Config.Listen)
}

// wire makes every domain and connects them: fields first, then events.
func (a *App) wire(ctx context.Context) error {
	c := a.Config
	var err error
	a.Jobs, err = jobs.New(a.DB, jobs.Options{Node: a.node(), Now: a.Now, Logger: a.Log, Queues: map[string]int{soundQueue: c.Workers}})
	if err != nil {
		return err
	}
	a.Feed = &feed.Feed{DB: a.DB, Now: a.Now}
	a.Mail, err = mail.New(a.DB, a.Jobs, mail.Options{SMTP: c.SMTP, From: c.MailFrom, SiteName: c.SiteName, Kinds: mailKinds(), Now: a.Now, Logger: a.Log})
	if err != nil {
		return err
	}
	a.Site = &web.Site{Name: c.SiteName, URL: c.URL, Secure: c.Secure(), Dev: c.Dev, Log: a.Log, Now: a.Now}
	for _, p := range c.TrustedProxies {
		prefix, err := parseNetwork(p)
		if err != nil {
			return err
		}
		a.Site.Proxies = append(a.Site.Proxies, prefix)
	}
	secret, err := fact(ctx, a.DB, a.Now(), "secret", 32)
	if err != nil {
		return err
	}
	key, err := hex.DecodeString(secret)
	if err != nil {
		return fmt.Errorf("this instance's secret: %w", err)
	}
	a.Accounts = &accounts.Store{
		DB: a.DB, Now: a.Now, URL: c.URL, SiteName: c.SiteName, Key: key, Feed: a.Feed, Log: a.Log,
		Hasher: accounts.NewHasher(accounts.DefaultCost, max(1, runtime.NumCPU()-1)), Post: a.post,
	}
	a.accountPages = &accounts.Pages{Store: a.Accounts, Site: a.Site, Mail: a.Mail}
	a.Site.Actor = a.accountPages.Actor
	a.People = &people.Store{DB: a.DB, Blobs: a.Blobs, Feed: a.Feed, Site: a.Site, Now: a.Now, Log: a.Log, Tones: a.tonesOf}
	a.Recordings = &recordings.Store{DB: a.DB, Feed: a.Feed, Now: a.Now, Raise: a.Jobs.Raise}
	a.Licensing = &licensing.Store{DB: a.DB, Feed: a.Feed, Now: a.Now, Currency: c.Currency, SiteName: c.SiteName, SiteURL: c.URL, Recording: a.licensedRecording, Site: a.Site, Raise: a.Jobs.Raise}
	a.Recordings.HasOffer, a.Recordings.Offers = a.Licensing.HasOffer, a.Licensing.Prices
	a.Moderation = &moderation.Store{DB: a.DB, Recordings: a.Recordings, Site: a.Site, Now: a.Now, Off: c.Moderation == "off", Tell: a.tellDecision}
	a.Recordings.Submitted = a.Moderation.Enqueue
	space, err := likeness.Open()
	if err != nil {
		return err
	}
	a.Ingest = &ingest.Store{
		DB: a.DB, Blobs: a.Blobs, Recordings: a.Recordings, Site: a.Site, Log: a.Log, Dir: filepath.Join(c.Data, "work", a.node()),
		FFmpeg: tool(c.FFmpeg, "ffmpeg"), MarkEvery: float64(c.MarkSeconds), MaxSeconds: c.MaxLength.Seconds(), Done: jobs.Complete, Wanted: a.Jobs.Wanted,
		Space: space, Ears: ingest.NewEars(c.SearchEars), MaxExample: int64(c.MaxExample), MaxExampleSeconds: c.ExampleLength.Seconds(),
	}
	a.Listening = &listening.Store{DB: a.DB, Blobs: a.Blobs, Recordings: a.Recordings, Now: a.Now, Limits: &a.Site.Limits, MembersOnly: c.MemberPreview,
		Licensed: func(ctx context.Context, account, recording int64) (bool, error) {
			return a.Licensing.Licensed(ctx, a.DB, account, recording)
		}}
	a.Listening.MakeMP3 = a.Ingest.MakeMP3
	a.Uploads = &uploads.Store{DB: a.DB, Blobs: a.Blobs, Recordings: a.Recordings, Site: a.Site, Log: a.Log, Now: a.Now, Node: a.node(),
		MaxBytes: int64(c.MaxUpload), Lifetime: c.UploadLifetime, FFmpeg: a.Ingest.FFmpeg != "",
		Licensing: a.Licensing, Feed: a.Feed, Hears: a.Listening.Hears, Terms: accounts.TermsForm, TermsHTML: accounts.TermsHTML()}
	a.Search = &search.Store{DB: a.DB, Feed: a.Feed, Recordings: a.Recordings, Listening: a.Listening, Site: a.Site, Log: a.Log, Currency: c.Currency,
		SnapshotFile: filepath.Join(c.Data, "index", a.node()+".snapshot"), Instance: a.instance,
		Ear:   search.Ear{Sound: a.hear, Part: a.hearPart, MaxBytes: int64(c.MaxExample), Seconds: c.ExampleLength.Seconds()},
		Space: space, InCart: a.inCart, Held: a.Licensing.HeldOf, People: a.bylines}
	a.Reactions = &reactions.Store{DB: a.DB, Feed: a.Feed, Recordings: a.Recordings, Site: a.Site, Now: a.Now, Rows: a.Search.Sounds, People: a.bylines, Lists: a.listsOf}
	a.Search.Ratings, a.Search.Favored = a.Reactions.Ratings, a.Reactions.FavoredOf
	// A database that a backup is being restored into has no row yet, and serves nobody meanwhile.
	if a.Search.Since, err = db.Get[int64](ctx, a.DB, `SELECT coalesce(max(created_at), 0) FROM instance WHERE name = 'id'`); err != nil {
		return fmt.Errorf("read when this instance was made: %w", err)
	}
	a.Collections = &collections.Store{DB: a.DB, Recordings: a.Recordings, Site: a.Site, Now: a.Now, Rows: a.Search.Sounds, People: a.bylines, Feed: a.collectionFeed, Fill: a.fillCart, Bundle: a.bundle, Favorites: a.favoritesOf, Tell: a.tellHidden}
	a.Moderation.Rows, a.Moderation.Offers, a.Moderation.Reported = a.Search.Sounds, a.offersInWords, a.Collections.Waiting
	a.recordingPages = &recordings.Pages{Store: a.Recordings, Site: a.Site, Rows: a.Search.Sounds, Similar: a.Search.Similar, Licensed: a.Listening.Licensed,
		License: a.licenseBox, Person: a.personCard, People: a.bylines, Notes: a.reviewNotes, Reactions: a.Reactions.On}
	a.People.Sounds, a.People.Collections = a.Search.SoundsOf, a.collectionsOf
	if err := a.wireCommerce(ctx); err != nil {
		return err
	}
	a.subscribe()
	a.subscribeCommerce()
	if err := a.Licensing.Seed(ctx); err != nil {
		return err
	}
	a.mount()
	return nil
}

// hear and hearPart are ingest's ear for search.
func (a *App) hear(ctx context.Context, sound io.Reader) (search.Example, error) {
	e, err := a.Ingest.Hear(ctx, sound)
	return search.Example(e), err
}

func (a *App) hearPart(ctx context.Context, rec recordings.Recording, from, to float64) (search.Example, error) {
	e, err := a.Ingest.HearPart(ctx, rec, from, to)
	return search.Example(e), err
}

// soundQueue is where jobs wait that decode: they have workers of their own, so that mail never waits for sound.
const soundQueue = "sound"

// fileTries is how often a sound is analyzed that may be to blame itself for the failure.
const fileTries = 5

// refreshEvery is how often recordings are looked for that an older version of the program described, and refreshFor how long at most they
// are listened to again in one go: half of one worker's time. What somebody waits for goes first besides.
const (
	refreshEvery = 5 * time.Minute
	refreshFor   = refreshEvery / 2
)

// soundPause doubles from 1 s to 15 min: with 40 tries, a disk, a bucket or a database may be away for a night.
func soundPause(attempt int) time.Duration {
	return min(time.Second<<min(attempt-1, 20), 15*time.Minute)
}

// subscribe says what happens after each event, and what happens by the clock.
func (a *App) subscribe() {
	sound := jobs.Opts{Queue: soundQueue, Timeout: 6 * time.Hour, MaxAttempts: 40, Backoff: soundPause}
	jobs.On(a.Jobs, "ingest.analyze", sound, func(ctx context.Context, e recordings.Created) error {
		n, most := jobs.Attempt(ctx)
		err := a.Ingest.Analyze(ctx, e.RecordingID, n >= fileTries)
		if err != nil && n >= most && ctx.Err() == nil {
			return a.Ingest.GiveUp(ctx, e.RecordingID, err)
		}
		return err
	})
	sound.Priority = 2
	jobs.On(a.Jobs, "ingest.mark", sound, func(ctx context.Context, e recordings.BecamePaid) error {
		return a.Ingest.Mark(ctx, e.RecordingID)
	})
	sound.Priority = 4 // nobody waits for details: whatever else is to be heard goes first
	jobs.On(a.Jobs, "ingest.detail", sound, func(ctx context.Context, e recordings.Analyzed) error {
		return a.Ingest.Detail(ctx, e.RecordingID)
	})
	a.Jobs.Every("db.analyze", time.Hour, jobs.Opts{}, a.DB.Analyze)
	a.Jobs.Every("ingest.refresh", refreshEvery, jobs.Opts{Queue: soundQueue, Priority: 4, Timeout: 2 * refreshEvery}, func(ctx context.Context) error {
		until := a.Now().Add(refreshFor)
		return errors.Join(a.Ingest.Refresh(ctx, until), a.Ingest.RefreshDetail(ctx, until))
	})
	a.Jobs.Every("ingest.unheard", time.Hour, jobs.Opts{Timeout: 10 * time.Minute}, func(ctx context.Context) error {
		return a.Ingest.LookAgain(ctx, a.Now().Add(time.Minute))
	})
	a.Jobs.Every("recordings.measures", 24*time.Hour, jobs.Opts{Timeout: time.Hour}, a.Recordings.FillMeasures)
	a.Jobs.Every("uploads.sweep", 10*time.Minute, jobs.Opts{Timeout: 10 * time.Minute}, a.Uploads.Sweep)
	a.Jobs.Every("accounts.sweep", time.Hour, jobs.Opts{}, a.Accounts.Sweep)
	a.Jobs.Every("reactions.sweep", 24*time.Hour, jobs.Opts{}, a.Reactions.Sweep)
	a.Jobs.Every("collections.sweep", 24*time.Hour, jobs.Opts{}, a.Collections.Sweep)
	a.Jobs.Every("feed.trim", 24*time.Hour, jobs.Opts{}, func(ctx context.Context) error {
		return a.Feed.Trim(ctx, a.Now().Add(-30*24*time.Hour))
	})
	a.Jobs.Every("blobs.purge", 24*time.Hour, jobs.Opts{Timeout: time.Hour}, func(ctx context.Context) error {
		_, _, err := a.Blobs.Purge(ctx, a.Now().Add(-30*24*time.Hour))
		return err
	})
}

// licensedRecording tells licensing about a recording.
func (a *App) licensedRecording(ctx context.Context, q db.Querier, id int64) (licensing.Recording, error) {
	rec, err := a.Recordings.ByID(ctx, q, id)
	if err != nil {
		return licensing.Recording{}, err
	}
	name, err := db.Get[string](ctx, q, `SELECT name FROM account_public WHERE id = $1`, rec.OwnerID)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return licensing.Recording{}, err
	}
	fingerprint, err := db.Get[[]byte](ctx, q, `SELECT fingerprint FROM recording_analysis WHERE recording_id = $1`, id)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return licensing.Recording{}, err
	}
	by, err := db.Get[string](ctx, q, `SELECT display_name FROM profile WHERE account_id = $1`, rec.OwnerID)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return licensing.Recording{}, err
	}
	if by == "" || name == "" { // of who was suspended no name is told
		by = name
	}
	if rec.Credit != "" {
		by = rec.Credit
	}
	return licensing.Recording{
		ID: rec.ID, OwnerID: rec.OwnerID, Title: rec.Title, Contributor: name, By: by, FileName: rec.FileName, Ext: rec.Ext, SHA256: rec.SHA256, Bytes: rec.ByteSize,
		Seconds: rec.Seconds, Fingerprint: fingerprint, Category: rec.Category, Published: rec.State == recordings.Published, Bars: rec.Bars, Wave: rec.Wave,
	}, nil
}

// offersInWords names a recording's license offers with their prices.
func (a *App) offersInWords(ctx context.Context, recording int64) ([]string, error) {
	list, err := a.Licensing.Offers(ctx, a.DB, recording)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(list))
	for i, o := range list {
		if out[i] = o.Model.Name; !o.Model.IsFree() {
			out[i] += " " + o.Price.String()
		}
	}
	return out, nil
}

func parseNetwork(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return p, fmt.Errorf("trusted_proxies: %q is not a network, as 10.0.0.0/8", s)
		}
		return p.Masked(), nil
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("trusted_proxies: %q is not an address", s)
	}
	return netip.PrefixFrom(ip, ip.BitLen()), nil
}
