package apiv2

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/listening"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// download sends the original to its owner, to who holds a license, and free ones to every member, who has the free license
// from then on. A paid one without a license is 403.
func (f *Face) download(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	return f.send(w, r, id)
}

// send sends the original of a recording to the actor of the request.
func (f *Face) send(w http.ResponseWriter, r *http.Request, id int64) error {
	rec, err := f.Recordings.ByID(r.Context(), f.Recordings.DB, id)
	if err != nil {
		return err
	}
	license, err := f.mayHave(r, rec, r.Method == http.MethodGet)
	if err != nil {
		return err
	}
	people, err := f.People.ByIDs(r.Context(), []int64{rec.OwnerID})
	if err != nil {
		return err
	}
	return f.Listening.Original(w, r, rec, people[rec.OwnerID].Name, license, listening.ByAPI)
}

// mayHave asks whether the actor may download a recording and gives the license it is under, 0 for one's own. take says that a
// free license is taken now when there is none yet.
func (f *Face) mayHave(r *http.Request, rec recordings.Recording, take bool) (license int64, err error) {
	if license, err = f.licenseOf(r, access.From(r.Context()), rec, take); err != nil {
		return 0, err
	}
	err = web.AllowTo(r, access.DownloadWithAPI, rec.Object(license != 0))
	var p *web.Public
	if errors.As(err, &p) && p.Status == http.StatusForbidden {
		return 0, web.Refuse(http.StatusForbidden, "A license is needed to download this sound: %s", f.at("/recordings/%d", rec.ID))
	}
	return license, err
}

// licenseOf is the license under which somebody downloads: the one held, or the free one taken now; 0 when there is none.
func (f *Face) licenseOf(r *http.Request, me access.Actor, rec recordings.Recording, take bool) (int64, error) {
	if me.ID == rec.OwnerID {
		return 0, nil
	}
	held, err := f.Licensing.LicenseFor(r.Context(), f.Licensing.DB, me.ID, rec.ID)
	if err == nil {
		return held.ID, nil
	}
	if !errors.Is(err, db.ErrNotFound) {
		return 0, err
	}
	if rec.State != recordings.Published || rec.Paid != 0 || !take {
		return 0, nil
	}
	taken, err := f.Licensing.TakeFree(r.Context(), me.ID, rec.ID, me.Name)
	if err != nil {
		return 0, err
	}
	return taken.ID, nil
}

// linkLife is how long a download link can be used.
const linkLife = time.Hour

// claims are what a download link says: who may download what, until when (unix seconds).
type claims struct {
	Sound   int64 `json:"sound_id"`
	Account int64 `json:"user_id"`
	Until   int64 `json:"exp"`
}

// jwtHeader begins every link (RFC 7519, HS256).
const jwtHeader = `{"alg":"HS256","typ":"JWT"}`

// seal signs claims as a JSON Web Token.
func (f *Face) seal(c claims) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(jwtHeader)) + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(f.signature(text)), nil
}

func (f *Face) signature(text string) []byte {
	key := hmac.New(sha256.New, f.Accounts.Key)
	key.Write([]byte("download link of /apiv2/")) // a key of its own, so that nothing else signed here is taken for a link
	mac := hmac.New(sha256.New, key.Sum(nil))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// unseal reads what seal wrote; ok is false for anything else.
func (f *Face) unseal(token string) (c claims, ok bool) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return c, false
	}
	text := token[:i]
	mac, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	if err != nil || !hmac.Equal(mac, f.signature(text)) {
		return c, false
	}
	_, body, _ := strings.Cut(text, ".") // the header is ours: it was signed
	raw, err := base64.RawURLEncoding.DecodeString(body)
	return c, err == nil && json.Unmarshal(raw, &c) == nil
}

// downloadLink gives an address under which the original can be had for an hour without credentials, by a program that cannot
// send any.
func (f *Face) downloadLink(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	rec, err := f.Recordings.ByID(r.Context(), f.Recordings.DB, id)
	if err != nil {
		return err
	}
	if _, err := f.mayHave(r, rec, true); err != nil {
		return err
	}
	token, err := f.seal(claims{rec.ID, access.From(r.Context()).ID, f.Site.Now().Add(linkLife).Unix()})
	if err != nil {
		return err
	}
	return answer(w, r, http.StatusOK, object{{"download_link", f.at("/apiv2/download/%s/", token)}})
}

// linked sends what a download link promises, to whoever has it, as long as the person it was made for may have it.
func (f *Face) linked(w http.ResponseWriter, r *http.Request) error {
	c, ok := f.unseal(r.PathValue("link"))
	if !ok {
		return web.Refuse(http.StatusUnauthorized, "This token is invalid.")
	}
	if f.Site.Now().Unix() >= c.Until {
		return web.Refuse(http.StatusUnauthorized, "This token has expired.")
	}
	actor, err := f.Accounts.ActorOf(r.Context(), c.Account)
	if err != nil {
		return err
	}
	return f.send(w, r.WithContext(access.WithActor(r.Context(), actor)), c.Sound)
}
