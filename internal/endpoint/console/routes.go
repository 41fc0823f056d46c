package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/web"
)

// Home is the path of the console's first page.
const Home = "/console"

// inApplication begins the paths of what is in one application.
const inApplication = Home + "/apps/{app}"

// need is what a page or a form takes: a permission in the application of its
// path, or to administer the instance. The zero value is any administrator.
type need struct {
	permission admin.Permission
	instance   bool
	body       bool // the body of its requests is its own to read
	above      int  // of a form: by how many segments its page is above its path
}

var (
	anybody = need{}
	toRead  = need{permission: admin.Read}
	toRun   = need{instance: true}
)

func to(p admin.Permission) need { return need{permission: p} }

// routes collects what a group of pages serves.
type routes struct {
	console *Console
	list    []web.Route
	pages   map[string]bool // the paths of get
}

func (s *routes) get(path string, n need, show func(*visit) error) {
	s.pages[path] = true
	s.list = append(s.list, web.Route{Method: http.MethodGet, Path: path, Handle: s.console.handle(n, show)})
}

// post is a form of the page of the same path, or of the nearest one above that
// there is by then.
func (s *routes) post(path string, n need, take func(*visit) error) {
	for page := path; !s.pages[page]; page = page[:strings.LastIndexByte(page, '/')] {
		n.above++
	}
	s.list = append(s.list, web.Route{Method: http.MethodPost, Path: path, Handle: s.console.handle(n, take)})
}

// upload is post of a form with a file, which take reads.
func (s *routes) upload(path string, n need, take func(*visit) error) {
	n.body = true
	s.post(path, n, take)
}

// Surface is the console as a surface.
func (c *Console) Surface() *web.Surface {
	s := &routes{console: c, pages: map[string]bool{}}
	for _, group := range []func(*routes){
		homeRoutes,
		overviewRoutes,
		clientRoutes,
		clientTokenRoutes,
		clientActivityRoutes,
		clientSecretRoutes,
		clientEndRoutes,
		newClientRoutes,
		transferRoutes,
		auditRoutes,
		scopeRoutes,
		resourceRoutes,
		userRoutes,
		tokenRoutes,
		keyRoutes,
		settingRoutes,
		applicationRoutes,
		administratorRoutes,
		memberRoutes,
	} {
		group(s)
	}
	return web.NewSurface("console", c.writeError, slices.Clip(s.list)...)
}
