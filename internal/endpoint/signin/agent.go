package signin

import (
	"strings"

	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// browsers and systems are found in a User-Agent by the first word that it has;
// the order matters, since most name others beside themselves.
var (
	browsers = [][2]string{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser", "Samsung Internet"},
		{"Firefox", "Firefox"},
		{"FxiOS", "Firefox"},
		{"CriOS", "Chrome"},
		{"Chrome", "Chrome"},
		{"Safari", "Safari"},
		{"curl", "curl"},
	}
	systems = [][2]string{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"Windows", "Windows"},
		{"Mac OS", "macOS"},
		{"CrOS", "ChromeOS"},
		{"Linux", "Linux"},
	}
)

// describe says in a few words what a User-Agent is; nothing of what a stranger
// wrote is repeated.
func describe(agent string) page.Text {
	browser, system := find(browsers, agent), find(systems, agent)
	switch {
	case browser == "":
		return page.Say("agent.unknown")
	case system == "":
		return page.Say("agent.only", "browser", browser)
	default:
		return page.Say("agent.on", "browser", browser, "system", system)
	}
}

func find(words [][2]string, agent string) string {
	for _, w := range words {
		if strings.Contains(agent, w[0]) {
			return w[1]
		}
	}
	return ""
}
