package signin

import (
	"log/slog"
	"strings"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/signin"
)

// letters are the texts of letters, by what they are for.
var letters = map[signin.Purpose]string{
	signin.ForReset: "letter.reset", signin.ForVerify: "letter.verify", signin.ForRegister: "letter.register",
}

// Letter puts a letter into words, in the language of the page on which it was
// asked for.
func (p *Pages) Letter(l *signin.Letter) (subject, text string) {
	key := letters[l.Purpose]
	link := with(p.Issuers().Of(l.Application.ID)+oauth.LinkPath, "token", l.Token)
	if l.Known {
		key = "letter.known"
		link = p.Issuers().Of(l.Application.ID) + signInPath
		if l.Request != "" {
			link = with(link, authorization.ToPage, l.Request)
		}
	}
	say := func(key string) string {
		text, err := p.set.Text(p.set.Choose(l.Locale), key, "brand", brand(l.Application), "email", l.To)
		if err != nil { // a defect, which a test finds
			slog.Error("a letter has no words", "error", err)
		}
		return text
	}
	paragraphs := []string{say("letter.greeting"), say(key), link, say(key + ".then"), say("letter.ignore"), brand(l.Application)}
	return say(key + ".subject"), strings.Join(paragraphs, "\n\n") + "\n"
}

// brand is the name that users know an application by.
func brand(app *application.Application) string {
	if app.Settings.Branding.Name != "" {
		return app.Settings.Branding.Name
	}
	return app.Name
}
