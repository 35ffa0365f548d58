package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/problem"
)

// maxForm is what a form of the panel may hold.
const maxForm = 64 << 10

// panel registers every page. Those behind signedIn are for operators alone.
func (s *service) panel(on huma.API) {
	page := func(method, pattern string, handler http.HandlerFunc) {
		api.Page(on, method, pattern, sameOrigin(handler))
	}
	page(http.MethodGet, "/assets/{name}", s.showAsset)
	page(http.MethodGet, "/sign-in/", s.showSignIn)
	page(http.MethodPost, "/sign-in/", s.takeSignIn)
	page(http.MethodGet, "/enrol/", s.showEnrolment)
	page(http.MethodPost, "/enrol/", s.takeEnrolment)
	page(http.MethodPost, "/sign-out/", s.signedIn(s.takeSignOut))
	page(http.MethodGet, "/", s.signedIn(s.showOverview))
	for _, r := range s.resources {
		base := "/" + r.listing.name() + "/"
		page(http.MethodGet, base, s.signedIn(s.showList(r)))
		page(http.MethodGet, "/"+r.listing.name()+".csv", s.signedIn(s.showCSV(r)))
		if r.item != nil {
			page(http.MethodGet, base+"{id}/", s.signedIn(s.showItem(r)))
		}
		for _, a := range r.acts {
			page(http.MethodGet, base+"{id}/"+a.Name+"/", s.signedIn(s.askAct(r, a)))
			page(http.MethodPost, base+"{id}/"+a.Name+"/", s.signedIn(s.takeAct(r, a)))
		}
	}
	page(http.MethodGet, "/*", s.showMissing)
}

// sameOrigin refuses what another site has a browser send.
func sameOrigin(next http.HandlerFunc) http.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		if err := protection.Check(r); err != nil {
			api.Write(w, problem.Forbidden("This request comes from another site."))
			return
		}
		next(w, r)
	}
}

// signedIn lets operators through, and others to the page where they sign in. What changes something must carry the token of the
// session's own forms.
func (s *service) signedIn(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := ""
		if cookie, err := r.Cookie(cookieName); err == nil {
			token = cookie.Value
		}
		me, err := s.operator(r.Context(), panelSession, token)
		var refused *problem.Problem
		if errors.As(err, &refused) && refused.Status == http.StatusUnauthorized {
			s.sendToSignIn(w, r)
			return
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), operatorKey{}, me))
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if err := r.ParseForm(); err != nil {
				s.fail(w, r, problem.New(http.StatusBadRequest, "The form cannot be read."))
				return
			}
			if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("csrf")), []byte(me.CSRF)) != 1 {
				s.fail(w, r, problem.Forbidden("This form is not of your session: go back, load the page again, and send it once more."))
				return
			}
		}
		next(w, r)
	}
}

// sendToSignIn has a browser ask who it is. A part of a page that htmx asks for takes the whole page there.
func (s *service) sendToSignIn(w http.ResponseWriter, r *http.Request) {
	to := "/sign-in/"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
	}
	if r.Header.Get("Hx-Request") == "true" {
		w.Header().Set("Hx-Redirect", to)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	status := http.StatusSeeOther
	w.Header().Set("Location", to)
	w.WriteHeader(status)
}

// showMissing answers for every path that leads nowhere, with no more than that; programs get the problem document.
func (s *service) showMissing(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		api.Write(w, problem.NotFound())
		return
	}
	s.fail(w, r, problem.NotFound())
}

// values are the parameters of an address, each once.
func values(r *http.Request) map[string]string {
	found := map[string]string{}
	for name, all := range r.URL.Query() {
		found[name] = all[0]
	}
	return found
}

// A listPage is what the page of a list shows.
type listPage struct {
	heading
	table
	Query    query
	Narrowed url.Values // the query without the page
	First    bool
	Done     string // what was just done
}

func (s *service) showList(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, err := res.listing.read(values(r))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		t, err := res.listing.table(r.Context(), q)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		search := r.URL.Query()
		search.Del("cursor")
		search.Del("done")
		head := res.listing.head()
		s.show(w, r, http.StatusOK, frame{Title: head.Title, Template: "list.html", Data: listPage{head, t, q, search, q.After == nil, res.done(r)}})
	}
}

// AsTable is what the template of tables takes.
func (p listPage) AsTable() labelled { return labelled{p.table, p.Title} }

// FirstPath is the address of the first page.
func (p listPage) FirstPath() string { return "/" + p.Name + "/?" + p.Narrowed.Encode() }

// NextPath is the address of the next page.
func (p listPage) NextPath() string {
	search := url.Values{}
	for name, all := range p.Narrowed {
		search[name] = all
	}
	search.Set("cursor", p.Next)
	return "/" + p.Name + "/?" + search.Encode()
}

// CSVPath is the address of the whole list as a file.
func (p listPage) CSVPath() string { return "/" + p.Name + ".csv?" + p.Narrowed.Encode() }

// An itemPage is what the page of one thing shows.
type itemPage struct {
	view
	Collection, CollectionTitle, ID string
	Offered                         []act
	Done                            string // what was just done
}

func (s *service) showItem(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := chi.URLParam(r, "id")
		found, err := res.item.view(r.Context(), id)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		head := res.listing.head()
		page := itemPage{view: found, Collection: head.Name, CollectionTitle: head.Title, ID: id, Done: res.done(r)}
		for _, a := range res.acts {
			for _, name := range found.Acts {
				if a.Name == name && operatorOf(r.Context()).mayAct() == nil {
					page.Offered = append(page.Offered, a)
				}
			}
		}
		s.show(w, r, http.StatusOK, frame{Title: found.Title, Template: "item.html", Data: page})
	}
}

// done returns the title of the act that led here, empty when none did.
func (res resource) done(r *http.Request) string {
	for _, a := range res.acts {
		if a.Name == r.URL.Query().Get("done") {
			return a.Title
		}
	}
	return ""
}

// An actPage asks before an act.
type actPage struct {
	act
	Collection, CollectionTitle, ID string
	Back                            string
	Chosen                          map[string]string // by the address that led here
}

func (s *service) back(res resource, id string) string {
	if res.item == nil {
		return "/" + res.listing.name() + "/"
	}
	return "/" + res.listing.name() + "/" + id + "/"
}

func (s *service) askAct(res resource, a act) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := operatorOf(r.Context()).mayAct(); err != nil {
			s.fail(w, r, err)
			return
		}
		id := chi.URLParam(r, "id")
		if res.item != nil {
			if _, err := res.item.view(r.Context(), id); err != nil {
				s.fail(w, r, err)
				return
			}
		}
		head := res.listing.head()
		s.show(w, r, http.StatusOK, frame{Title: a.Title, Template: "act.html", Data: actPage{a, head.Name, head.Title, id, s.back(res, id), values(r)}})
	}
}

func (s *service) takeAct(res resource, a act) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, chosen := chi.URLParam(r, "id"), map[string]string{}
		for _, c := range a.Choices {
			chosen[c.Name] = r.PostForm.Get(c.Name)
		}
		if _, err := a.perform(r.Context(), acting{ID: id, Chosen: chosen}); err != nil {
			s.fail(w, r, err)
			return
		}
		to := s.back(res, id)
		if a.Danger { // what it was done to may be gone already
			to = "/" + res.listing.name() + "/"
		}
		http.Redirect(w, r, to+"?done="+a.Name, http.StatusSeeOther)
	}
}
