package configapi

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
)

// parseHours reads the body of PUT secret.
func parseHours(body object) (int, error) {
	value, ok := body["hoursToLive"]
	if !ok {
		return 0, errMissing
	}
	if !client.IsInteger(value) {
		return 0, errNotInteger
	}
	hours, err := strconv.Atoi(string(value))
	if err != nil || hours < 0 || hours > client.MaxHoursToLive {
		return 0, errHours
	}
	return hours, nil
}

// parseSettings reads a settings document; the texts of what it refuses are the
// contract's.
func parseSettings(body object, global bool) (client.Document, error) {
	d, err := client.ParseDocument(body, global)
	return d, settingRefused(err)
}

func settingRefused(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Invalid {
		return &answer{status: http.StatusBadRequest, text: f.Message}
	}
	return err
}

// opening begins an object with its first member, `_self`.
func opening(self string) []byte {
	return append(append([]byte(`{"_self":`), encode(self)...), ',')
}

func (a *api) showClientSettings(c *call) error {
	d, err := a.Operations.Document(c.Context(), c.target)
	if err != nil {
		return err
	}
	return c.answerClientSettings(d)
}

func (a *api) putClientSettings(c *call) error {
	d, err := parseSettings(c.body, false)
	if err != nil {
		return err
	}
	if err := a.Operations.PutDocument(c.Context(), c.source(), c.app, c.target.ID, d); err != nil {
		return c.refused(err, "")
	}
	return c.answerClientSettings(d)
}

func (c *call) answerClientSettings(d client.Document) error {
	global, err := client.ApplicationDocument(c.app)
	if err != nil {
		return err
	}
	body := d.AppendMembers(opening(clientPath(c.target) + "/settings"))
	body = global.AppendMembers(append(body, `,"_global":{`...))
	write(c.w, c.Request, http.StatusOK, append(body, "}}"...))
	return nil
}

func (a *api) showSettings(c *call) error { return a.answerSettings(c, c.app) }

func (a *api) putSettings(c *call) error {
	d, err := parseSettings(c.body, true)
	if err != nil {
		return err
	}
	app, err := a.Operations.PutApplicationDocument(c.Context(), c.source(), c.app.ID, d)
	if err != nil {
		return settingRefused(err)
	}
	return a.answerSettings(c, app)
}

// answerSettings streams where each client's own settings are asked for.
func (a *api) answerSettings(c *call, app *application.Application) error {
	d, err := client.ApplicationDocument(app)
	if err != nil {
		return err
	}
	body := d.AppendMembers(opening("/config/" + app.ID + "/settings"))
	if with, _ := strconv.ParseBool(c.URL.Query().Get("include_clients")); !with {
		write(c.w, c.Request, http.StatusOK, append(body, '}'))
		return nil
	}
	clients := string(append(body, `,"_clients":{`...))
	s := stream{w: c.w}
	err = a.Operations.WalkDocuments(c.Context(), app.ID, func(id string, d client.Document) error {
		member := append(encode(id), ":{"...)
		return s.element(clients, append(d.AppendMembers(member), '}'))
	})
	return s.end(err, clients, "}}")
}

func (a *api) listOptions(c *call) error {
	write(c.w, c.Request, http.StatusOK, encode(client.Options()))
	return nil
}
