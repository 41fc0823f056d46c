package console

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/logo"
	"github.com/ostiary/ostiary/internal/web"
)

type brandingData struct {
	Tabs     []navLink
	Fields   []*field
	Changed  []difference
	Revision int64
	Fixed    bool
	Path     string
	Preview  preview
}

// preview is the sign-in page as users see it with what is typed.
type preview struct {
	Name    string
	Colours string // path of its style sheet; "": the kit's own
	Wrong   bool   // what is typed is no colour
	Logo    *page.Picture
	Pending string // why there is no logo yet; "": there is, or there is to be none
	Again   string // path to look at again, while it is fetched; "": it is not
	NoLogo  string // why it could not be fetched
}

// branding is the form of the branding, with a preview of what is typed: by the
// query where the page is asked for with it.
func (v *visit) branding(status int, problems []page.Problem) error {
	b := v.app.Settings.Branding
	inputs := []*field{
		{Name: "name", Label: "Name", Value: b.Name, Placeholder: v.app.Name, Help: "Up to 60 characters; left empty, the name of the application."},
		{
			Name: "logo", Label: "Logo", Kind: "url", Mono: true, Value: b.Logo, Placeholder: "https://example.com/logo.png",
			Help: "An https URL of a PNG, JPEG or GIF. The server fetches it and shows a copy: browsers of users ask nobody else.",
		},
		{Name: "colour", Label: "Colour", Mono: true, Value: b.Colour, Placeholder: "#2459b8", Help: "Of buttons and links, as #rrggbb. Text on it is made readable."},
	}
	d := brandingData{
		Tabs: v.settingTabs(true), Fields: inputs, Revision: v.app.Revision, Fixed: !v.may(admin.EditApplication), Path: v.at("settings", "branding"),
	}
	if v.r.Method == http.MethodGet && v.form.Has("colour") {
		v.retype(inputs)
	}
	d.Changed = v.refill(status, inputs, problems)
	d.Preview = v.preview(inputs[0].Value, inputs[1].Value, inputs[2].Value)
	for _, f := range inputs {
		f.Fixed = d.Fixed
	}
	return v.show(status, "branding", pageOf{Title: "Branding", Section: "settings", Problems: problems, Data: d})
}

func (v *visit) preview(name, logoURL, colour string) preview {
	p := preview{Name: strings.TrimSpace(name)}
	if p.Name == "" {
		p.Name = v.app.Name
	}
	v.previewOfLogo(&p, strings.TrimSpace(logoURL))
	if colour = strings.TrimSpace(colour); colour == "" {
		return p
	}
	if _, ok := page.Colours(previewed, colour); !ok {
		p.Wrong = true
		return p
	}
	p.Colours = v.at("settings", "branding", "colours", colour[1:])
	return p
}

// previewOfLogo shows the logo at a URL, or says why there is none. One that is
// not saved is not fetched.
func (v *visit) previewOfLogo(p *preview, url string) {
	if url == "" {
		return
	}
	if url != v.app.Settings.Branding.Logo {
		p.Pending = "Your logo stands here once it is saved and fetched."
		return
	}
	image, err := v.Logos(url)
	if image != nil {
		p.Logo = &page.Picture{Path: v.at("settings", "branding", "logo", image.Digest), Width: image.Width, Height: image.Height}
	}
	switch {
	case errors.Is(err, logo.ErrNotYet):
		p.Pending, p.Again = "Your logo is being fetched; look again in a moment.", v.at("settings", "branding")
	case err != nil:
		p.NoLogo = whyNoLogo(err)
	}
}

// whyNoLogo says what was wrong when a logo was fetched.
func whyNoLogo(err error) string {
	if name, ok := errors.AsType[*net.DNSError](err); ok && name.IsNotFound {
		return "there is no such host"
	}
	if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
		return "its server did not answer in time"
	}
	return err.Error()
}

// previewLogo is the logo as it was fetched; its path says which one that is.
func (v *visit) previewLogo() error {
	url := v.app.Settings.Branding.Logo
	if url == "" {
		return web.ErrNotFound
	}
	image, _ := v.Logos(url)
	if image == nil || image.Digest != v.r.PathValue("digest") {
		return web.ErrNotFound
	}
	web.WriteForGood(v.w, "image/png", image.PNG)
	return nil
}

// previewed selects what the colours of a preview are for.
const previewed = ".preview"

// previewColours is the style sheet of a colour, for the preview alone.
func (v *visit) previewColours() error {
	css, ok := page.Colours(previewed, "#"+v.r.PathValue("colour"))
	if !ok {
		return web.ErrNotFound
	}
	web.WriteForGood(v.w, "text/css; charset=utf-8", []byte(css))
	return nil
}

func (v *visit) editBranding() error {
	members := map[string]any{}
	for _, name := range []string{"name", "logo", "colour"} {
		if text := strings.TrimSpace(v.form.Get(name)); text != "" {
			members[name] = text
		} else {
			members[name] = nil
		}
	}
	raw, err := json.Marshal(members)
	if err != nil {
		return err
	}
	patch := map[string]json.RawMessage{"branding": raw}
	return v.patchApplication(patch, v.at("settings", "branding"), func(status int, problems []page.Problem) error {
		for i := range problems {
			problems[i].Field = strings.TrimPrefix(problems[i].Field, "branding.")
		}
		return v.branding(status, problems)
	})
}
