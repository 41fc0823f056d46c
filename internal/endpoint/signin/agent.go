package signin

import "github.com/ostiary/ostiary/internal/endpoint/page"

// describe says in a few words what a User-Agent is.
func describe(agent string) page.Text {
	browser, system := page.Browser(agent)
	switch {
	case browser == "":
		return page.Say("agent.unknown")
	case system == "":
		return page.Say("agent.only", "browser", browser)
	default:
		return page.Say("agent.on", "browser", browser, "system", system)
	}
}
